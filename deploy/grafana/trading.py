"""The first dashboard: how the session does, what its orders meet with, and whether the four services are well."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, QueryVariable, Row
from grafana_foundation_sdk.models.common import TimeZoneUtc
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableRefresh, VariableSort

from deploy.grafana import read_model
from deploy.grafana.queries import POSTGRES
from deploy.grafana.sections.account import account, sessions, trades
from deploy.grafana.sections.orders import orders
from deploy.grafana.sections.present import now
from deploy.grafana.sections.services import services
from deploy.grafana.sections.venues import venues

DESCRIPTION = (
    "A trading session as the recorder sees it, and the health of the services. "
    "Money is in the session's quote currency."
)


def dashboard() -> Dashboard:
    """The dashboard `trading`, complete."""
    sections = {
        "Now": now(),
        "The account, by the market's clock": account(),
        "Trades": trades(),
        "Orders and refusals": orders(),
        "Venues": venues(),
        "Services": services(),
        "Sessions": sessions(),
    }
    built = _empty_dashboard()
    for title, panels in sections.items():
        built.with_row(Row(title))
        for panel in panels:
            built.with_panel(panel)
    return built


def _empty_dashboard() -> Dashboard:
    return (
        Dashboard("Trading")
        .uid("leitstand-trading")
        .description(DESCRIPTION)
        .tags(["leitstand"])
        .timezone(TimeZoneUtc)
        .time("now-15m", "now")
        .refresh("5s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(_session_variable())
    )


def _session_variable() -> QueryVariable:
    return (
        QueryVariable("session")
        .label("Session")
        .description("The session by the name in its file; tables and curves show its newest run.")
        .datasource(POSTGRES)
        .query(read_model.SESSION_NAMES)
        .definition(read_model.SESSION_NAMES)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
        .multi(False)
        .include_all(False)
        .allow_custom_value(False)
    )
