"""What the demo shows of a session: a fold over its rarer facts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.domain import summary as figures
from shared.domain.portfolio import RoundTrip
from shared.domain.summary import Summary
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, TradingHalted, TradingResumed
from shared.schemas.lifecycle import ErrorRaised, PhaseStart, RunnerEnd
from shared.schemas.market import EquityMarked, EquityMetrics
from shared.schemas.orders import OrderCancelled, OrderFilled, OrderRefused, OrderRejected
from shared.schemas.values import Phase

LATEST_TRADES = 5
FOLLOWED: Mapping[str, tuple[str, ...]] = {
    "runner": (
        "runner_start",
        "phase_start",
        "phase_end",
        "order_filled",
        "order_rejected",
        "order_cancelled",
        "trading_halted",
        "error",
        "runner_end",
    ),
    "risk": ("order_refused", "trading_halted", "trading_resumed", "error"),
    "recorder": ("report_ready",),
}
"""The types of fact that the view is folded from, by writer: few enough to keep up at any speed."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many orders were filled, whole; refused by the guard; rejected by the venue; cancelled."""

    filled: int = 0
    refused: int = 0
    rejected: int = 0
    cancelled: int = 0


@dataclass(frozen=True)
class View:
    """A session as the terminal shows it. `mark` is the newest account, `halt` why trading stands still."""

    summary: Summary
    mark: EquityMetrics | None = None
    phase: Phase | None = None
    halt: Halt | None = None
    orders: Counts = Counts()
    trips: tuple[RoundTrip, ...] = ()
    last_error: str | None = None
    end: RunnerEnd | None = None

    @property
    def status(self) -> str:
        """In a word how the session is."""
        if self.end is not None:
            return self.end.status
        if self.halt is None:
            return "running" if self.phase == "api_phase" else "preparing"
        return {"kill": "KILLED", "pause": "paused", "limit": "halted by a limit"}[self.halt.kind]


def initial(session_id: str) -> View:
    """A session of which nothing is known yet."""
    return View(figures.initial(session_id))


def evolve(view: View, event: Event) -> View:
    """The view after a fact."""
    if isinstance(event, EquityMarked):
        return replace(view, mark=event.metrics, summary=view.summary._replace(market_time=event.market_time))
    summary, trip = figures.step(view.summary, event)
    trips = (*view.trips, trip)[-LATEST_TRADES:] if trip else view.trips
    return _turned(replace(view, summary=summary, trips=trips), event)


def _turned(view: View, event: Event) -> View:
    match event:
        case TradingHalted():
            return replace(view, halt=event.details)
        case TradingResumed():
            return replace(view, halt=None)
        case PhaseStart():
            return replace(view, phase=event.phase)
        case ErrorRaised():
            return replace(view, last_error=event.error)
        case RunnerEnd():
            return replace(view, end=event)
        case _:
            return replace(view, orders=_counted(view.orders, event))


def _counted(counts: Counts, event: Event) -> Counts:
    match event:
        case OrderFilled() if event.order.status == "filled":
            return replace(counts, filled=counts.filled + 1)
        case OrderRefused():
            return replace(counts, refused=counts.refused + 1)
        case OrderRejected():
            return replace(counts, rejected=counts.rejected + 1)
        case OrderCancelled():
            return replace(counts, cancelled=counts.cancelled + 1)
        case _:
            return counts
