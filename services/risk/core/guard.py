"""The guard of one session: `initial`, `evolve`, `decide`.

Evolve on an input first, decide on the result, then evolve on what was decided (`shared.domain.decider.react`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from services.risk.core import confirmation, surveillance
from services.risk.core.fold import FOLDED, evolve
from services.risk.core.state import GOING_LIVE, NOT_ENABLED, Guard
from services.risk.core.verdicts import Seal, judge
from shared.domain.portfolio import ZERO, Portfolio
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, Resumption, TradingHalted, TradingResumed
from shared.schemas.identity import Cause, Facts
from shared.schemas.lifecycle import ErrorRaised, RunnerEnd, RunnerStart
from shared.schemas.market import EquityMarked
from shared.schemas.orders import AccountReconciled, OrderFilled, OrderIntended, VenueObserved

__all__ = ["CONCERNS", "Guard", "Seal", "decide", "evolve", "initial"]


def initial(session_id: str, stack_halt: Halt | None = None) -> Guard:
    """A session that has not begun: halted, and to stay so after its start while `stack_halt` is latched."""
    return Guard(session_id, None, Portfolio(ZERO, "", ZERO), halt=stack_halt or NOT_ENABLED)


def decide(guard: Guard, event: Event, seal: Seal) -> Sequence[Event]:
    """The guard's facts that follow from `event`, on which `guard` has evolved already."""
    if type(event) is OrderIntended:
        return judge(guard, event, seal)
    answer = _ANSWERS.get(type(event))
    return answer(guard, event) if answer else ()


def _first_word(guard: Guard, event: RunnerStart) -> Sequence[Event]:
    if guard.started_by != event.id or guard.halt is None:
        return ()
    facts = Facts(Cause.of(event), "risk")
    if guard.halt == NOT_ENABLED and guard.venue.mode == "live":
        facts.tell(TradingHalted, level="warning", message=GOING_LIVE.reason, details=GOING_LIVE)
    elif guard.halt == NOT_ENABLED:
        word = Resumption(reason="the session's limits are in force", operator="guard")
        facts.tell(TradingResumed, message=word.reason, details=word)
    else:
        facts.tell(TradingHalted, message=f"the session starts halted: {guard.halt.reason}", details=guard.halt)
    return facts.told


_ANSWERS: dict[type[Event], Callable[[Guard, Any], Sequence[Event]]] = {
    EquityMarked: surveillance.on_mark,
    OrderFilled: surveillance.on_fill,
    RunnerStart: _first_word,
    ErrorRaised: surveillance.on_error,
    VenueObserved: confirmation.confirm,
    AccountReconciled: surveillance.on_statement,
}

_KINDS: tuple[type[Event], ...] = (*FOLDED, *_ANSWERS, OrderIntended, RunnerEnd)
CONCERNS: frozenset[str] = frozenset(kind.model_fields["type"].default for kind in _KINDS)
"""The types of fact that the guard folds or answers; all others leave it as it is."""
