"""What becomes of orders, and how the guard decides."""

from deploy.grafana import read_model
from deploy.grafana.colours import BLUE, ORANGE, VERMILLION
from deploy.grafana.panels import Face, history, ranking, rows
from deploy.grafana.queries import Sql, over_time, right_now
from deploy.grafana.sections.wording import OF_SESSION, Panels


def orders() -> Panels:
    """What becomes of orders, and how the guard decides."""
    return [
        ranking(
            Face(
                "Orders by outcome",
                "Facts about this session's orders, by what they tell, since the recorder started.",
                "No order yet",
                width=6,
            ),
            right_now(f"sort_desc(sum by (outcome) (leitstand_orders_total{OF_SESSION}))", "{{outcome}}"),
            colour=BLUE,
        ),
        ranking(
            Face(
                "Refusals by rule",
                "Orders of this session that the guard refused, by rule, since the recorder started.",
                "Nothing refused",
                width=6,
            ),
            right_now(f"sort_desc(sum by (rule) (leitstand_order_refusals_total{OF_SESSION}))", "{{rule}}"),
            colour=VERMILLION,
        ),
        rows(
            Face(
                "Latest orders",
                "The last 50 orders, newest first, with the guard's or the venue's reason where one was refused.",
                "No order yet",
                width=12,
            ),
            Sql(read_model.ORDERS),
            {},
        ),
        history(
            Face(
                "Verdicts",
                "Orders that the guard approved and refused, a second.",
                "The guard is silent",
                width=12,
                unit="ops",
            ),
            over_time("sum(rate(leitstand_approvals_total[$__rate_interval]))", "Approved"),
            over_time("sum(rate(leitstand_refusals_total[$__rate_interval]))", "Refused", ref="B"),
            colours={"Approved": BLUE, "Refused": VERMILLION},
        ),
        history(
            Face(
                "Time to a verdict",
                "How long the guard takes from a fact in hand to its answer in the stream.",
                "No verdict in this time",
                width=12,
                unit="s",
            ),
            over_time(_decision_quantile(0.5), "Median"),
            over_time(_decision_quantile(0.99), "99 of 100", ref="B"),
            colours={"Median": BLUE, "99 of 100": ORANGE},
        ),
    ]


def _decision_quantile(quantile: float) -> str:
    return f"histogram_quantile({quantile}, sum by (le) (rate(leitstand_decision_seconds_bucket[$__rate_interval])))"
