"""What trading depends on beyond the account's losses: where it is not given, no new risk is taken.

Refusals come with each order; the halt, and its end where the session file allows one, when the guard looks at time.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from services.risk.core.halts import is_conditional
from services.risk.core.state import Guard
from services.risk.limits.excess import Excess
from services.risk.limits.rules import CONDITIONAL, broken_standing_rules
from shared.schemas.envelope import Event
from shared.schemas.guard import Breach, Halt, LimitBreached, Resumption, TradingHalted, TradingResumed
from shared.schemas.identity import Cause, Facts, derived_id
from shared.schemas.session import RiskLimits
from shared.schemas.values import iso


def unmet(guard: Guard, now: datetime) -> list[Excess]:
    """The conditions that are not given at `now` by the wall clock; none in a session on simulated time."""
    if guard.config is None or not guard.config.is_live:
        return []
    return list(_unmet(guard, guard.config.risk, now))


def _unmet(guard: Guard, limits: RiskLimits, now: datetime) -> Iterator[Excess]:
    seen = guard.conditions
    if seen.clock is not None:
        yield Excess("clock", "the venue's time", seen.clock)
    oldest = min(seen.unknown.values(), default=now)
    if limits.max_unknown_age is not None and now - oldest > limits.max_unknown_age:
        yield Excess("max_unknown_age", str(limits.max_unknown_age), f"{', '.join(seen.unknown)} since {oldest}")
    if seen.lost and limits.max_data_age is not None and guard.closed_at:
        last = max(guard.closed_at.values())
        if now - last > limits.max_data_age:
            yield Excess("max_data_age", str(limits.max_data_age), f"{now - last}; lost is {', '.join(seen.lost)}")
    standing = broken_standing_rules(guard.watch.standing(guard.watch.equity), limits)
    yield from (excess for excess in standing if excess.rule in CONDITIONAL)


def look(guard: Guard, now: datetime) -> Sequence[Event]:
    """A halt for what is not given any more; or its end, once all is given again and the session file says so."""
    if guard.config is None or guard.started_by is None:
        return ()
    missing = unmet(guard, now)
    facts = _facts(guard, now)
    news = [excess for excess in missing if excess.rule not in guard.watch.tripped]
    for excess in news:
        breach = Breach(limit=excess.rule, bound=excess.limit, observed=excess.observed)
        facts.tell(LimitBreached, message=_line(excess), details=breach)
    if news and (guard.halt is None or is_conditional(guard.halt)):
        _tell_halt(facts, news, guard.config.risk)
    elif not missing and is_conditional(guard.halt) and guard.config.risk.resume_when_restored:
        _tell_end(facts, guard)
    return facts.told


def _tell_halt(facts: Facts, missing: Sequence[Excess], limits: RiskLimits) -> None:
    reason = "; ".join(map(_line, missing))
    until = "all is restored" if limits.resume_when_restored else "an operator resumes"
    names = tuple(excess.rule for excess in missing)
    halt = Halt(kind="limit", reason=f"{reason}; no new risk until {until}", operator="guard", conditions=names)
    facts.tell(TradingHalted, message=f"trading halted by {reason}", details=halt)


def _tell_end(facts: Facts, guard: Guard) -> None:
    names = guard.halt.conditions if guard.halt else ()
    word = Resumption(reason=f"restored: {', '.join(names)}", operator="guard", restored=names)
    facts.tell(TradingResumed, message=word.reason, details=word)


def _facts(guard: Guard, now: datetime) -> Facts:
    name = derived_id(guard.session_id, f"conditions:{iso(now)}")
    return Facts(Cause(name, guard.session_id, now, now, name), "risk")


def _line(excess: Excess) -> str:
    return f"{excess.rule}: allowed {excess.limit}, seen {excess.observed}"
