"""What must hold among the facts of one session, whoever wrote them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Heartbeat, RunnerEnd, RunnerStart
from shared.schemas.market import CandleClosed, EquityMarked, ShadowMarked
from shared.schemas.orders import Fill, OrderFilled, OrderState, OrderSubmitted, Ticket

_MUST_FOLLOW = {
    "order_approved": "order_intended",
    "order_refused": "order_intended",
    "order_released": "order_intended",
    "order_submitted": "order_approved",
    "order_accepted": "order_submitted",
    "order_rejected": "order_submitted",
    "order_filled": "order_submitted",
}


@dataclass(slots=True)
class _Seen:
    session_id: str
    ids: set[str] = field(default_factory=set)
    started: bool = False
    ended: bool = False
    closed_at: datetime | None = None
    orders: dict[str, set[str]] = field(default_factory=dict)
    ordered: dict[str, Decimal] = field(default_factory=dict)
    filled: dict[str, Decimal] = field(default_factory=dict)
    guards_fills: set[str] = field(default_factory=set)


class Validation:
    """Checks facts one after the other; each check answers what is wrong in words."""

    def __init__(self, session_id: str) -> None:
        self._seen = _Seen(session_id)

    def findings(self, event: Event) -> Iterator[str]:
        """What is wrong with the next fact."""
        for check in _CHECKS:
            yield from check(self._seen, event)

    def at_end(self) -> Iterator[str]:
        """What is missing after the last fact."""
        if not self._seen.started:
            yield "there is no runner_start"


def _identity(seen: _Seen, event: Event) -> Iterator[str]:
    if event.session_id != seen.session_id:
        yield f"belongs to session {event.session_id}"
    if event.id in seen.ids and not isinstance(event, Heartbeat):
        yield f"the id {event.id} is there twice"
    seen.ids.add(event.id)


def _writer(seen: _Seen, event: Event) -> Iterator[str]:
    if event.service not in type(event).WRITERS:
        yield f"{event.service} may not tell {event.type}"


def _bounds(seen: _Seen, event: Event) -> Iterator[str]:
    """The runner tells nothing but heartbeats before its start or after its end."""
    if event.service != "runner" or isinstance(event, Heartbeat):
        return
    if isinstance(event, RunnerStart):
        if seen.started:
            yield "a second runner_start"
        seen.started = True
    elif not seen.started:
        yield f"{event.type} before runner_start"
    if seen.ended:
        yield f"{event.type} after runner_end"
    seen.ended = seen.ended or isinstance(event, RunnerEnd)


def _market_order(seen: _Seen, event: Event) -> Iterator[str]:
    if not isinstance(event, CandleClosed | EquityMarked | ShadowMarked) or event.service != "runner":
        return
    close_time = event.details.close_time
    if seen.closed_at is not None and close_time < seen.closed_at:
        yield f"{event.type} of {close_time} after one of {seen.closed_at}"
    seen.closed_at = close_time


def _candle(seen: _Seen, event: Event) -> Iterator[str]:
    if isinstance(event, CandleClosed):
        bar = event.details
        if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
            yield f"{bar.symbol} {bar.open_time}: high and low do not enclose open and close"


def _order_life(seen: _Seen, event: Event) -> Iterator[str]:
    order = event.order
    if not isinstance(order, Ticket | OrderState | Fill):
        return
    told = seen.orders.setdefault(order.client_order_id, set())
    exempt = _is_guards_own(event) or (event.type == "order_submitted" and "order_released" in told)
    needed = None if exempt else _MUST_FOLLOW.get(event.type)
    if needed is not None and needed not in told:
        yield f"{event.type} of {order.client_order_id} without {needed}"
    told.add(event.type)


def _is_guards_own(event: Event) -> bool:
    """The guard places orders of its own without asking itself."""
    return isinstance(event, OrderSubmitted) and event.service == "risk"


def _quantities(seen: _Seen, event: Event) -> Iterator[str]:
    if event.type == "order_intended" and isinstance(event.order, Ticket):
        seen.ordered[event.order.client_order_id] = event.order.qty
    if isinstance(event, OrderFilled):
        name, execution = event.order.client_order_id, f"{event.order.symbol}:{event.order.trade_id}"
        if event.service == "runner" and execution in seen.guards_fills:
            return
        if event.service == "risk":
            seen.guards_fills.add(execution)
        seen.filled[name] = seen.filled.get(name, Decimal(0)) + event.order.qty
        if seen.filled[name] > seen.ordered.get(name, seen.filled[name]):
            yield f"{name} is filled beyond what was ordered"


_CHECKS: tuple[Callable[[_Seen, Event], Iterator[str]], ...] = (
    _identity,
    _writer,
    _bounds,
    _market_order,
    _candle,
    _order_life,
    _quantities,
)
