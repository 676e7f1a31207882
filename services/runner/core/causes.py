"""What each of the runner's inputs is called as a cause, so that the same input gives the same facts the same names."""

from collections.abc import Sequence
from datetime import datetime

from services.runner.core.inputs import (
    AccountObserved,
    CallFailed,
    CallSucceeded,
    GuardSpoke,
    HealthChanged,
    Input,
    KillHeard,
    LinkLost,
    LinkRestored,
    Reported,
    SliceClosed,
    StopRequested,
)
from services.runner.core.state import State
from shared.schemas.identity import Cause, derived_id
from shared.schemas.values import iso
from shared.venues.port import Accepted, Cancelled, Filled, Reconciled, Rejected, Report, Unclear


def cause_of(state: State, given: Input, at: datetime) -> Cause:
    """The cause that `given`, received at the wall clock's `at`, is for what `state` decides on it."""
    session_id = state.plan.session_id
    match given:
        case GuardSpoke(event):
            market_time = at if state.plan.config.is_live else state.market_time or event.market_time
            return Cause(event.id, session_id, at, market_time, event.correlation_id)
        case SliceClosed(candles):
            return of_slice(state, candles[0].close_time, at)
        case Reported(reports):
            return labelled(state, f"reports:{_name(reports) if reports else _count(state)}", at)
        case KillHeard(command):
            return labelled(state, f"control:{command.sequence}", at)
        case StopRequested(reason):
            return labelled(state, f"stop:{reason}", at)
        case AccountObserved():
            return labelled(state, f"account:{state.slices}:{state.order_count}:{state.cleared_up_to}", at)
        case CallFailed(call) | CallSucceeded(call):
            return labelled(state, f"call:{call}:{iso(at)}", at)
        case LinkLost(peer) | LinkRestored(peer):
            return labelled(state, f"link:{peer}:{iso(at)}", at)
        case HealthChanged():
            return labelled(state, f"health:{iso(at)}", at)


def of_slice(state: State, close_time: datetime, at: datetime) -> Cause:
    """The slice that closed at `close_time` as a cause."""
    session_id = state.plan.session_id
    name = derived_id(session_id, f"slice:{iso(close_time)}")
    return Cause(name, session_id, at, at if state.plan.config.is_live else close_time, name)


def labelled(state: State, label: str, at: datetime) -> Cause:
    """A cause within the session that no fact of the stream names."""
    name = derived_id(state.plan.session_id, label)
    session = state.plan
    market_time = at if session.config.is_live else state.market_time or state.market_start or at
    return Cause(name, session.session_id, at, market_time, name)


def _count(state: State) -> str:
    """A name for having nothing reported that differs once an order more is intended."""
    return f"{state.slices}:{state.order_count}"


def _name(reports: Sequence[Report]) -> str:
    """A name for the first report that a repeat of it would carry too."""
    match reports[0]:
        case Filled(fill):
            return f"{fill.client_order_id}:filled:{fill.trade_id}"
        case Reconciled(order, _):
            return f"{order.client_order_id}:reconciled:{order.status}"
        case Accepted(order) | Rejected(order, _) | Cancelled(order, _) | Unclear(order, _) as report:
            return f"{order.client_order_id}:{type(report).__name__.lower()}"
