"""The account and its trades over the market's clock, and every session, from the read model."""

from deploy.grafana import read_model
from deploy.grafana.colours import BLUE, GREY, ORANGE, PURPLE, VERMILLION
from deploy.grafana.panels import Face, bars, curve, dashed, fixed, rows
from deploy.grafana.queries import Sql
from deploy.grafana.sections.wording import GAIN_OR_LOSS, NO_SESSION, Panels


def account() -> Panels:
    """Curves over market time, from the read model."""
    equity = curve(
        Face(
            "Equity",
            "The account at each bar's close, against the capital it began with; dashed, its shadow's.",
            NO_SESSION,
            width=12,
            height=9,
            unit="locale",
        ),
        Sql(read_model.EQUITY),
        x=read_model.X,
    )
    drawdown = curve(
        Face(
            "Drawdown",
            "The distance below the peak of equity; of each stretch the deepest.",
            NO_SESSION,
            width=6,
            height=9,
            unit="percentunit",
        ),
        Sql(read_model.DRAWDOWN),
        x=read_model.X,
    )
    exposure = curve(
        Face(
            "Open exposure",
            "The value of all open positions; of each stretch the largest.",
            NO_SESSION,
            width=6,
            height=9,
            unit="locale",
        ),
        Sql(read_model.EXPOSURE),
        x=read_model.X,
    )
    return [
        equity.override_by_name("Equity", fixed(BLUE))
        .override_by_name("Shadow", [*fixed(ORANGE), *dashed()])
        .override_by_name("Initial capital", fixed(GREY)),
        drawdown.fill_opacity(25).override_by_name("Drawdown", fixed(VERMILLION)),
        exposure.fill_opacity(15).override_by_name("Open exposure", fixed(PURPLE)),
    ]


def trades() -> Panels:
    """Round trips, from the read model."""
    return [
        bars(
            Face(
                "P&L of each trade",
                "The last 200 round trips, net of fees, in the quote currency.",
                "No trade yet",
                width=10,
                unit="locale",
            ),
            Sql(read_model.TRADE_RESULTS),
            x="Trade",
            steps=GAIN_OR_LOSS,
        ),
        rows(
            Face("Latest trades", "The last 50 round trips from flat to flat, newest first.", "No trade yet", width=14),
            Sql(read_model.TRADES),
            {"P&L": "locale", "Return": "percentunit", "Fees": "locale", "Entry": "locale", "Exit": "locale"},
        ),
    ]


def sessions() -> Panels:
    """Every session that the read model knows."""
    return [
        rows(
            Face("Sessions", "The last 50 sessions, newest first; a trade is a round trip.", NO_SESSION, width=24),
            Sql(read_model.SESSIONS),
            {"Equity": "locale", "Return": "percentunit", "Max drawdown": "percentunit"},
        )
    ]
