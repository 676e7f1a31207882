"""Whether the four services are there, connected and keeping up."""

from deploy.grafana.colours import BAD, BLUE, GOOD, GREEN, ORANGE, PURPLE, SKY, VERMILLION
from deploy.grafana.panels import Face, figure, history, rows, states
from deploy.grafana.queries import listed, over_time, right_now
from deploy.grafana.sections.wording import Panels

SERVICES = {"runner": BLUE, "risk": VERMILLION, "recorder": GREEN, "notifier": PURPLE}


def services() -> Panels:
    """Whether the four services are there, connected and keeping up."""
    return [*_presence(), *_throughput()]


def _presence() -> Panels:
    return [
        states(
            Face("Service health", "Whether each service answers Prometheus.", "Prometheus has no answer yet", width=8),
            over_time('up{job="leitstand"}', "{{service}}"),
            meanings={"1": ("Up", GOOD), "0": ("Down", BAD)},
        ),
        states(
            Face("Bus", "Whether each service is connected to NATS.", "No service tells", width=8),
            over_time("leitstand_bus_connected", "{{service}}"),
            meanings={"1": ("Connected", GOOD), "0": ("Cut off", BAD)},
        ),
        rows(
            Face(
                "Alerts",
                "Alerts of Prometheus that are pending or firing; what to do is in deploy/prometheus/alerts.yml.",
                "No alert: all is well",
                width=8,
            ),
            listed("sort_desc(sum by (alertname, severity, alertstate, service, session) (ALERTS))"),
            {},
        ),
    ]


def _throughput() -> Panels:
    return [
        history(
            Face(
                "Facts told",
                "Events published a second, by the service that tells them.",
                "No service tells",
                width=6,
                unit="ops",
            ),
            over_time("sum by (service) (rate(leitstand_events_published_total[$__rate_interval]))", "{{service}}"),
            colours=SERVICES,
        ),
        history(
            Face(
                "Facts received",
                "Events consumed a second, by the service that receives them.",
                "No service tells",
                width=6,
                unit="ops",
            ),
            over_time("sum by (service) (rate(leitstand_events_consumed_total[$__rate_interval]))", "{{service}}"),
            colours=SERVICES,
        ),
        history(
            Face(
                "Recorder's lag",
                "Facts in the stream that the session files and PostgreSQL do not hold yet.",
                "The recorder is silent",
                width=4,
                decimals=0,
            ),
            over_time("leitstand_recorder_lag_events", "{{sink}}"),
            colours={"files": SKY, "database": ORANGE},
        ),
        figure(
            Face(
                "Dead letters",
                "Messages that a service could not decode or handle, since it started.",
                "No service tells",
                width=4,
                decimals=0,
            ),
            right_now("sum(leitstand_deadletters_total)"),
            steps=((None, GOOD), (1, BAD)),
        ),
        figure(
            Face(
                "Up for",
                "Since when the youngest of the services has been running.",
                "No service tells",
                width=4,
                unit="s",
                decimals=0,
            ),
            right_now("time() - max(leitstand_start_time_seconds)"),
        ),
    ]
