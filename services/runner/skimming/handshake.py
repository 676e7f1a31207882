"""An order's way from the intent to the venue's book where nobody objects, in one go.

The conductor asks guard and venue step by step, for anything may happen between two steps. In a backtest nothing does:
when the guard approves and the venue accepts, the same facts follow at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.runner.core.causes import cause_of
from services.runner.core.inputs import GuardSpoke, Reported
from services.runner.core.state import State
from services.runner.skimming.guarding import Guard, approval
from shared.schemas.envelope import Event
from shared.schemas.identity import Facts
from shared.schemas.orders import OrderAccepted, OrderApproved, OrderIntended, OrderState, OrderSubmitted
from shared.venues.paper import Book, submit
from shared.venues.port import Accepted


class Placed(NamedTuple):
    """Everybody's state once the orders stand on the venue's book, and the facts that tell it."""

    state: State
    guard: Guard
    book: Book
    told: Sequence[Event]


def placed(state: State, guard: Guard, book: Book, intents: Sequence[OrderIntended], at: datetime) -> Placed | None:
    """The orders that `state` has just intended, placed; None, and nothing has happened, where anybody objects."""
    verdicts = []
    for intent in intents:
        guard, approved = approval(guard, intent)
        if approved is None or at > approved.details.expires_at:
            return None
        verdicts.append(approved)
    told: list[Event] = [*verdicts]
    for approved in verdicts:
        book, reports = submit(book, approved.order, at)
        if not isinstance(reports[0], Accepted):
            return None
        submitted, accepted = _submitted(state, approved, at), _accepted(state, reports[0], at)
        state = _working(state, approved, accepted.order)
        told += (submitted, accepted)
    return Placed(state, guard, book, told)


def _submitted(state: State, approved: OrderApproved, at: datetime) -> OrderSubmitted:
    order = state.orders[approved.order.client_order_id]
    facts = Facts(cause_of(state, GuardSpoke(approved), at), "runner")
    return facts.tell(OrderSubmitted, correlation_id=order.correlation_id, phase=state.phase, order=approved.order)


def _accepted(state: State, report: Accepted, at: datetime) -> OrderAccepted:
    order = state.orders[report.order.client_order_id]
    facts = Facts(cause_of(state, Reported((report,)), at), "runner")
    return facts.tell(OrderAccepted, correlation_id=order.correlation_id, phase=state.phase, order=report.order)


def _working(state: State, approved: OrderApproved, shown: OrderState) -> State:
    name = shown.client_order_id
    order = state.orders[name]._replace(stage="working", approval=approved, venue_order_id=shown.venue_order_id)
    return state._replace(orders={**state.orders, name: order})
