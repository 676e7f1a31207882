"""What the guard watches beyond single orders: losses, the books, slippage, the venue's health."""

from collections.abc import Iterable, Sequence

from services.risk.core.state import Guard
from services.risk.limits.excess import Excess
from services.risk.limits.rules import CONDITIONAL, broken_standing_rules
from services.risk.limits.slippage import realised_slippage
from shared.domain.portfolio import metrics
from shared.schemas.envelope import Event
from shared.schemas.guard import Breach, Halt, LimitBreached, TradingHalted
from shared.schemas.identity import Cause, Facts
from shared.schemas.lifecycle import ErrorRaised
from shared.schemas.market import EquityMarked, MarkDetails
from shared.schemas.orders import AccountReconciled, OrderFilled
from shared.schemas.values import plain

RECONCILIATION = "reconciliation"
"""What a halt for an unexplained difference between the venue's books and ours is called."""


def on_mark(guard: Guard, event: EquityMarked) -> Sequence[Event]:
    """Breaches that the mark shows, once each with a halt; then the guard's own mark where the runner waits for it."""
    if event.service != "runner" or guard.config is None:
        return ()
    broken = _untold(guard, [*_differing_books(guard, event), *_broken(guard)])
    if not broken and not event.details.awaits_guard:
        return ()
    facts = Facts(Cause.of(event), "risk")
    _halt_for(guard, facts, broken)
    if event.details.awaits_guard:
        mark = MarkDetails(close_time=event.details.close_time)
        facts.tell(EquityMarked, phase=event.phase, metrics=metrics(guard.portfolio), details=mark)
    return facts.told


def on_error(guard: Guard, event: ErrorRaised) -> Sequence[Event]:
    """A halt once too many venue calls in a row have failed."""
    facts = Facts(Cause.of(event), "risk")
    _halt_for(guard, facts, _untold(guard, _broken(guard)) if event.details.api else [])
    return facts.told


def on_statement(guard: Guard, event: AccountReconciled) -> Sequence[Event]:
    """A halt where the venue's books keep differing from the session's, and nothing explains it."""
    if not event.details.confirmed:
        return ()
    sides = [(f"{each.ours:f} {each.asset}", f"{each.venue:f} {each.asset}") for each in event.details.differences]
    ours, theirs = (", ".join(side) for side in zip(*sides, strict=True))
    facts = Facts(Cause.of(event), "risk")
    _halt_for(guard, facts, _untold(guard, [Excess(RECONCILIATION, f"our {ours}", f"the venue's {theirs}")]))
    return facts.told


def on_fill(guard: Guard, event: OrderFilled) -> Sequence[Event]:
    """A warning when the execution was worse than the session allows; what is done is done, so no halt."""
    own = event.service == "risk"
    excess = realised_slippage(event.order, guard.config.risk) if guard.config and not own else None
    if excess is None:
        return ()
    facts = Facts(Cause.of(event), "risk")
    _tell_breach(facts, excess, "warning")
    return facts.told


def _broken(guard: Guard) -> list[Excess]:
    watch = guard.watch
    return broken_standing_rules(watch.standing(watch.equity), guard.config.risk) if guard.config else []


def _differing_books(guard: Guard, event: EquityMarked) -> list[Excess]:
    own, theirs = guard.watch.equity, event.metrics.equity
    if own == theirs:
        return []
    return [Excess("books", f"the guard's own equity {plain(own)}", f"the runner's {plain(theirs)}")]


def _untold(guard: Guard, broken: Iterable[Excess]) -> list[Excess]:
    return [excess for excess in broken if excess.rule not in guard.watch.tripped]


def _halt_for(guard: Guard, facts: Facts, broken: Sequence[Excess]) -> None:
    for excess in broken:
        _tell_breach(facts, excess, "error")
    if not broken or (guard.halt and guard.halt.kind == "kill"):
        return
    reason = "; ".join(f"{excess.rule}: allowed {excess.limit}, seen {excess.observed}" for excess in broken)
    names = tuple(excess.rule for excess in broken)
    conditions = names if CONDITIONAL.issuperset(names) else ()
    until = "all is restored" if conditions and _resumes(guard) else "an operator resumes"
    halt = Halt(kind="limit", reason=f"{reason}; no new risk until {until}", operator="guard", conditions=conditions)
    facts.tell(TradingHalted, message=f"trading halted by {reason}", details=halt)


def _resumes(guard: Guard) -> bool:
    return guard.config is not None and guard.config.is_live and guard.config.risk.resume_when_restored


def _tell_breach(facts: Facts, excess: Excess, level: str) -> None:
    facts.tell(
        LimitBreached,
        level=level,
        message=f"{excess.rule}: allowed {excess.limit}, seen {excess.observed}",
        details=Breach(limit=excess.rule, bound=excess.limit, observed=excess.observed),
    )
