"""What is told of an order that lived in one go: the facts that the conductor would have told of it one by one."""

from collections.abc import Sequence
from datetime import datetime

from services.runner.core.causes import cause_of, of_slice
from services.runner.core.decide import signalled
from services.runner.core.inputs import GuardSpoke, Reported
from services.runner.skimming.guarding import approved
from services.runner.skimming.life import Life
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, Facts
from shared.schemas.market import SignalRaised
from shared.schemas.orders import OrderAccepted, OrderFilled, OrderIntended, OrderSubmitted
from shared.venues.paper.book import state_of
from shared.venues.port import Accepted


def told_of(life: Life, decided_at: datetime, filled_at: datetime) -> Sequence[Event]:
    """The facts of the slices that closed at these times, in order, without candles and marks."""
    decided, ticket, phase = life.decided, life.ticket, life.decided.phase
    symbols = len(decided.plan.config.symbols)
    slice_cause = of_slice(decided, decided_at, decided_at)
    facts = _after(slice_cause, symbols + life.reported + 1)
    ((key, stance),) = decided.fresh.items()
    raised = facts.tell(SignalRaised, phase=phase, **signalled(key, stance, ticket.reference_price))
    intended = facts.tell(OrderIntended, phase=phase, order=ticket)
    (word,) = approved(life.after.guard, intended)
    belongs = {"correlation_id": slice_cause.correlation_id, "phase": phase}
    sending = cause_of(decided, GuardSpoke(word), decided_at)
    submitted = _after(sending, 0).tell(OrderSubmitted, **belongs, order=ticket)
    shown = state_of(life.accepted)
    answer = cause_of(decided, Reported((Accepted(shown),)), decided_at)
    accepted = _after(answer, 0).tell(OrderAccepted, **belongs, order=shown)
    filling = _after(of_slice(decided, filled_at, filled_at), symbols)
    return raised, intended, word, submitted, accepted, filling.tell(OrderFilled, **belongs, order=life.fill)


def _after(cause: Cause, untold: int) -> Facts:
    facts = Facts(cause, "runner")
    facts.pass_over(untold)
    return facts
