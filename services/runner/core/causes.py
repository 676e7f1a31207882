"""What each of the runner's inputs is called as a cause, so that the same input gives the same facts the same names."""

from datetime import datetime

from services.runner.core.inputs import (
    AccountObserved,
    CallFailed,
    CallSucceeded,
    Examined,
    GuardHeard,
    GuardSilent,
    GuardSpoke,
    HealthChanged,
    HoursTurned,
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
            return labelled(state, f"reports:{_name(state, reports[0]) if reports else _count(state)}", at)
        case KillHeard(command):
            return labelled(state, f"control:{command.sequence}", at)
        case GuardSilent():
            return labelled(state, f"silence:{iso(at)}", at)
        case GuardHeard():
            return labelled(state, f"heard again:{iso(at)}", at)
        case StopRequested(reason):
            return labelled(state, f"stop:{reason}", at)
        case AccountObserved():
            return labelled(state, f"account:{state.slices}:{state.order_count}:{state.cleared_up_to}", at)
        case CallFailed(call) | CallSucceeded(call):
            return labelled(state, f"call:{call}:{iso(at)}", at)
        case LinkLost(peer) | LinkRestored(peer):
            return labelled(state, f"link:{peer}:{iso(at)}", at)
        case Examined(statement):
            return labelled(state, f"statement:{iso(statement.at)}", at)
        case HealthChanged():
            return labelled(state, f"health:{iso(at)}", at)
        case HoursTurned(hours):
            return labelled(state, f"hours:{hours.standing}:{iso(at)}", at)


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


def _name(state: State, report: Report) -> str:
    """A name for a report that a repeat of it would carry too; an order that came back may end once more."""
    match report:
        case Filled(fill):
            return f"{fill.client_order_id}:filled:{fill.trade_id}"
        case Reconciled(shown, _):
            return f"{shown.client_order_id}:reconciled:{shown.status}{_life(state, shown.client_order_id)}"
        case Accepted(shown) | Rejected(shown, _) | Cancelled(shown, _) | Unclear(shown, _):
            return f"{shown.client_order_id}:{type(report).__name__.lower()}{_life(state, shown.client_order_id)}"


def _life(state: State, name: str) -> str:
    order = state.orders.get(name) or state.dealt.ended.get(name)
    return f":{order.revived}" if order is not None and order.revived else ""
