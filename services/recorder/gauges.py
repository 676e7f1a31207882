"""What Prometheus sees of sessions. Sessions are labelled by their name, never by an id."""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping

from prometheus_client import Counter, Gauge

from services.recorder.core.ledger import Entry
from shared.domain.portfolio import Portfolio, opened
from shared.domain.summary import Summary
from shared.schemas.orders import OrderRefused

EQUITY = Gauge("leitstand_equity", "Equity at the last closes, in the quote currency.", ["session"])
PNL = Gauge("leitstand_pnl", "Equity less the initial capital, in the quote currency.", ["session"])
DRAWDOWN = Gauge("leitstand_drawdown_ratio", "Drawdown from the peak of equity; 0.01 is 1 %.", ["session"])
MAX_DRAWDOWN = Gauge("leitstand_max_drawdown_ratio", "Largest drawdown so far; 0.01 is 1 %.", ["session"])
EXPOSURE = Gauge("leitstand_exposure", "Value of all positions at the last closes, in the quote currency.", ["session"])
MARKET_TIME = Gauge(
    "leitstand_last_market_time_seconds", "The market's clock at the last fact, seconds since 1970 (UTC).", ["session"]
)
RUNNING = Gauge("leitstand_session_running", "Whether the session runs (1) or has ended (0).", ["session"])
TRADES = Counter("leitstand_trades", "Round trips, by result; a win brought more than nothing.", ["session", "result"])
FEES = Counter("leitstand_fees", "Fees paid, in the quote currency.", ["session"])
ORDERS = Counter("leitstand_orders", "Facts about orders, by outcome.", ["session", "outcome"])
REFUSALS = Counter("leitstand_order_refusals", "Orders that the guard refused, by rule.", ["session", "rule"])
RECORDED = Counter("leitstand_recorder_events", "Facts written to session files.")
REJECTED = Counter("leitstand_recorder_rejected", "Facts that PostgreSQL could not hold; they are dead letters.")
LAG = Gauge("leitstand_recorder_lag_events", "Stored messages that a sink has not written yet.", ["sink"])
DATABASE_CONNECTED = Gauge("leitstand_recorder_database_connected", "Whether PostgreSQL can be reached (1) or not (0).")

_OUTCOMES = {
    "order_intended": "intended",
    "order_approved": "approved",
    "order_refused": "refused",
    "order_released": "released",
    "order_submitted": "submitted",
    "order_accepted": "accepted",
    "order_rejected": "rejected",
    "order_filled": "filled",
    "order_cancelled": "cancelled",
    "order_unknown": "unknown",
    "order_reconciled": "reconciled",
}


class SessionGauges:
    """Sets and counts what sessions show. Counters follow the figures: a session taken up midway counts whole."""

    def __init__(self) -> None:
        self._counted: dict[str, Portfolio] = {}

    def show(self, summary: Summary) -> None:
        """Bring the session's gauges and counters up to `summary`."""
        if summary.start is None or summary.portfolio is None:
            return
        account = summary.portfolio
        _set(summary, account)
        before = self._counted.get(summary.session_id) or opened(account.initial_capital, account.quote)
        self._counted[summary.session_id] = account
        TRADES.labels(summary.name, "win").inc(max(account.wins - before.wins, 0))
        TRADES.labels(summary.name, "loss").inc(max(account.losses - before.losses, 0))
        FEES.labels(summary.name).inc(max(float(account.fees - before.fees), 0.0))

    def count(self, entries: Iterable[Entry], summaries: Mapping[str, Summary]) -> None:
        """Count what the facts tell about orders."""
        told = [entry.event for entry in entries if entry.event.type in _OUTCOMES]
        for (session_id, kind), times in Counts((event.session_id, event.type) for event in told).items():
            ORDERS.labels(summaries[session_id].name, _OUTCOMES[kind]).inc(times)
        for event in told:
            if isinstance(event, OrderRefused):
                REFUSALS.labels(summaries[event.session_id].name, event.details.rule).inc()


def _set(summary: Summary, account: Portfolio) -> None:
    name, equity = summary.name, account.equity
    EQUITY.labels(name).set(float(equity))
    PNL.labels(name).set(float(equity - account.initial_capital))
    DRAWDOWN.labels(name).set(float(account.drawdown))
    MAX_DRAWDOWN.labels(name).set(float(account.max_drawdown))
    EXPOSURE.labels(name).set(float(account.exposure))
    RUNNING.labels(name).set(summary.status == "running")
    if summary.market_time is not None:
        MARKET_TIME.labels(name).set(summary.market_time.timestamp())
