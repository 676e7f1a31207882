"""What the runner had been given, read off the facts that it led to."""

import json
from collections.abc import Sequence

from services.runner.core.evolve import GUARD, SIZING, STOPPING
from services.runner.core.inputs import (
    AccountObserved,
    GuardHeard,
    GuardSilent,
    HoursTurned,
    Input,
    KillHeard,
    Reported,
    SliceClosed,
    StopRequested,
)
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted
from shared.schemas.lifecycle import Checkpoint
from shared.schemas.market import CandleClosed, EquityMarked, TradingHoursChanged
from shared.schemas.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderIntended,
    OrderReconciled,
    OrderRejected,
    OrderUnknown,
    VenueObserved,
)
from shared.venues.port import Accepted, Cancelled, Filled, Reconciled, Rejected, Report, Unclear

_Reported = OrderAccepted | OrderRejected | OrderFilled | OrderCancelled | OrderUnknown | OrderReconciled


def input_of(facts: Sequence[Event]) -> Input | None:
    """The input behind `facts`, which have one cause that is no fact of the guard; None for a phase's passage."""
    match facts[0]:
        case CandleClosed():
            return _slice(facts)
        case TradingHalted(details=halt) if halt.conditions:
            return GuardSilent("bus" if "bus" in halt.conditions else "guard", halt.reason)
        case TradingHalted() as halted:
            return KillHeard(_command(halted))
        case TradingHoursChanged(details=hours):
            return HoursTurned(hours)
        case VenueObserved(details=account):
            return AccountObserved(account)
        case Checkpoint(details=details) if details.name == STOPPING:
            return StopRequested(details.observed)
        case Checkpoint(details=details, status=status) if details.name == GUARD:
            return GuardSilent("guard", details.observed) if status == "fail" else GuardHeard()
        case Checkpoint(details=details) if not details.name.startswith(SIZING):
            return None
        case fact if isinstance(fact, Checkpoint | OrderIntended | _Reported):
            return Reported(_reports(facts))
        case _:
            return None


def _slice(facts: Sequence[Event]) -> SliceClosed:
    kinds = [type(fact) for fact in facts]
    mark = kinds.index(EquityMarked) if EquityMarked in kinds else len(facts)
    candles = [fact.details for fact in facts if isinstance(fact, CandleClosed)]
    return SliceClosed(candles, _reports(facts[len(candles) : mark]), mark == len(facts))


def _reports(facts: Sequence[Event]) -> Sequence[Report]:
    return tuple(_report(fact) for fact in facts if isinstance(fact, _Reported))


def _report(fact: _Reported) -> Report:
    match fact:
        case OrderAccepted():
            return Accepted(fact.order)
        case OrderRejected():
            return Rejected(fact.order, fact.details.reason, bool(fact.details.never_sent))
        case OrderFilled():
            return Filled(fact.order)
        case OrderCancelled():
            return Cancelled(fact.order, fact.details.reason)
        case OrderUnknown():
            return Unclear(fact.order, fact.details.reason)
        case OrderReconciled():
            return Reconciled(fact.order, fact.details.reason)


def _command(halted: TradingHalted) -> Command:
    session_id = halted.session_id if halted.details.scope == "session" else None
    payload = json.dumps({"reason": halted.details.reason}).encode()
    return Command("kill", session_id, payload, halted.details.control_sequence or 0, halted.timestamp)
