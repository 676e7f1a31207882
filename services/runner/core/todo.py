"""What remains to be done at the venue, derived from the state, so that a restart finds it again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.runner.core import hours
from services.runner.core.fitting import to_step, too_small
from services.runner.core.order import Order
from services.runner.core.pursue import closing_reason, has_too_many_stops
from services.runner.core.state import State
from services.runner.core.taking import left_unprotected
from shared.domain.portfolio import Key
from shared.schemas.commands import Command
from shared.schemas.orders import OrderApproved, OrderReleased, Ticket


@dataclass(frozen=True, slots=True)
class Submit:
    """Send this order that was approved, or released, and whose submission is stored."""

    client_order_id: str
    approval: OrderApproved | OrderReleased


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take this order back."""

    client_order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Observe:
    """Ask the venue what it shows, for the guard to confirm a kill by."""


Action = Submit | Cancel | Observe


KILL = "kill"
"""Why an order is taken back once a kill is in force."""
KILLED = "killed before it was sent"


def todo(state: State) -> Iterator[Action]:
    """The actions that the state calls for: cancels first, for they bring down risk."""
    for name, order in state.orders.items():
        reason = cancel_reason(state, order) if order.stage == "working" else None
        if reason:
            yield Cancel(name, reason)
    for name, order in state.orders.items():
        if order.stage == "submitted" and order.approval is not None:
            yield Submit(name, order.approval)
    if state.unconfirmed_kill and not state.orders and not _still_to_flatten(state):
        yield Observe()


def is_new_kill(state: State, command: Command) -> bool:
    """Whether a kill is none that is in force already, nor one that was resumed from since."""
    return not state.killed and command.sequence > state.cleared_up_to


def taken_back_by(state: State, kill: Command) -> Sequence[str]:
    """The orders that a kill takes back as soon as it is heard: it is stored, and a cancel adds no risk."""
    if not is_new_kill(state, kill):
        return ()
    return [name for name, order in state.orders.items() if order.stage == "working" and _ends_by_kill(order.ticket)]


def _ends_by_kill(ticket: Ticket) -> bool:
    return ticket.purpose != "flatten"


def obstacle(state: State, ticket: Ticket, expires_at: datetime, now: datetime | None) -> str | None:
    """Why an approved order must not be sent at `now`, or None. Asked before every attempt to send it."""
    if now is not None and now > expires_at:
        return "the guard's approval had expired before it could be sent"
    if state.relieved:
        return "the guard itself acts at the venue"
    if state.killed and _ends_by_kill(ticket):
        return KILLED
    return None


def cancel_reason(state: State, order: Order) -> str | None:
    """Why a working order is to be taken back, or None."""
    ticket = order.ticket
    if _is_stale_exit(state, order):
        return f"not filled within {order.bars} bars"
    if state.killed:
        return KILL if _ends_by_kill(ticket) else None
    if ticket.purpose == "stop" and hours.is_closed(state, ticket.symbol):
        return None  # it stays until what takes its place can be sent
    closing = closing_reason(state, order.key)
    if closing is not None and ticket.purpose not in ("exit", "flatten"):
        return closing
    if not ticket.reduce_only and state.stopping:
        return state.stopping
    if not ticket.reduce_only and state.halt is not None and state.halt.kind == "limit":
        return f"trading is halted: {state.halt.reason}"
    if not ticket.reduce_only and state.unguarded:
        return "the guard is silent"
    if ticket.purpose == "entry" and _waits_too_long(state, order):
        return f"not filled within {order.bars} bars"
    if ticket.purpose == "stop" and order.key not in state.portfolio.positions:
        return "the position that it protected is closed"
    if ticket.is_list and left_unprotected(state, order):
        return "its stop ended when its take-profit began to fill; the rest gets a stop of its own"
    if ticket.purpose == "stop" and has_too_many_stops(state, order.key):
        return "one stop for the whole position takes its place"
    return None


def _is_stale_exit(state: State, order: Order) -> bool:
    """Whether an exit that extended hours made a limit order needs a new limit."""
    is_exit = order.ticket.purpose in ("exit", "flatten") and order.ticket.extended_hours
    return is_exit and _waits_too_long(state, order)


def _waits_too_long(state: State, order: Order) -> bool:
    return order.bars >= state.plan.config.orders.cancel_after_bars


def _still_to_flatten(state: State) -> bool:
    if not state.plan.config.flattens_on_kill:
        return False
    return any(_sellable(state, key) for key in state.portfolio.positions)


def _sellable(state: State, key: Key) -> bool:
    instrument = state.plan.config.instrument_of(key[1])
    qty = to_step(state.portfolio.held(*key), instrument.lot_step)
    return too_small(instrument, qty, state.portfolio.closes[key[1]]) is None


def settled(state: State) -> bool:
    """Whether the market may move on: every intent has its verdict, every order its answer, the guard its mark.

    An order whose fate is unknown may stay so for long; it blocks its symbol, not the session.
    """
    answered = all(order.stage in ("working", "unknown") for order in state.orders.values())
    return state.enabled and not state.awaits_mark and answered


def finished(state: State) -> bool:
    """Whether a session that is stopping has nothing left to do."""
    if not state.stopping or not settled(state) or any(True for _ in todo(state)):
        return False
    if state.plan.config.on_stop == "keep":
        return all(order.ticket.reduce_only for order in state.orders.values())
    return not state.orders and not any(_sellable(state, key) for key in state.portfolio.positions)
