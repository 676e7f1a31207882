"""What a trial hears on the bus: which orders still await an answer, how far the market has been told."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from services.runner.core.evolve import GUARD
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Checkpoint, RunnerEnd
from shared.schemas.market import CandleClosed, EquityMarked
from shared.schemas.orders import (
    Fill,
    OrderApproved,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderState,
    OrderSubmitted,
    OrderUnknown,
    Ticket,
)

_ENDS = frozenset({"rejected", "cancelled", "expired", "filled"})


class Record:
    """One session's facts, as they come from the stream.

    `tickets` are all orders that were intended, `open` the stages of those in flight, `fills` every execution.
    `told` counts facts by service and type. While the session is `unguarded` the runner takes the guard for silent.
    """

    def __init__(self) -> None:
        self.marked: datetime | None = None
        self.cash: EquityMarked | None = None
        self.ended: RunnerEnd | None = None
        self.tickets: dict[str, Ticket] = {}
        self.stages: dict[str, str] = {}
        self.fills: list[Fill] = []
        self.kinds: dict[str, int] = {}
        self.told: Counter[tuple[str, str]] = Counter()
        self.facts: list[Event] = []
        self.unguarded = False

    @property
    def awaits(self) -> bool:
        """Whether an order waits for the guard or for the venue's first word."""
        return any(stage in ("intended", "approved", "submitted") for stage in self.stages.values())

    @property
    def unknown(self) -> Iterable[str]:
        """The orders whose fate is not known."""
        return [name for name, stage in self.stages.items() if stage == "unknown"]

    def take(self, event: Event) -> None:
        """The next fact."""
        self.kinds[event.type] = self.kinds.get(event.type, 0) + 1
        self.told[event.service, event.type] += 1
        if not isinstance(event, CandleClosed):
            self.facts.append(event)
        match event:
            case EquityMarked() if event.service == "runner":
                self.marked, self.cash = event.details.close_time, event
            case OrderIntended():
                self.tickets[event.order.client_order_id] = event.order
                self.stages[event.order.client_order_id] = "intended"
            case OrderApproved():
                self._now(event.order.client_order_id, "approved")
            case OrderRefused():
                self.stages.pop(event.order.client_order_id, None)
            case OrderSubmitted() if event.service == "risk":
                self.tickets[event.order.client_order_id] = event.order
                self.stages[event.order.client_order_id] = "submitted"
            case OrderSubmitted():
                self._now(event.order.client_order_id, "submitted")
            case OrderUnknown():
                self._now(event.order.client_order_id, "unknown")
            case OrderFilled():
                self._filled(event.order)
                self._shown(event.order.client_order_id, event.order.status)
            case RunnerEnd():
                self.ended = event
            case Checkpoint() if event.details.name == GUARD:
                self.unguarded = event.status == "fail"
            case _:
                self._other(event)

    def _filled(self, fill: Fill) -> None:
        """An execution counts once: the guard may have told it where the runner could not."""
        if all((fill.symbol, fill.trade_id) != (each.symbol, each.trade_id) for each in self.fills):
            self.fills.append(fill)

    def _other(self, event: Event) -> None:
        order = getattr(event, "order", None)
        if isinstance(order, OrderState):
            self._shown(order.client_order_id, order.status)

    def _shown(self, name: str, status: str) -> None:
        if status in _ENDS:
            self.stages.pop(name, None)
        else:
            self._now(name, "working")

    def _now(self, name: str, stage: str) -> None:
        if name in self.stages:
            self.stages[name] = stage
