"""Limits at run time: whoever lowers one is obeyed at once, whoever raises one must show the second factor."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import ValidationError

from services.risk.core.state import Guard
from services.risk.core.usage import LIMITS, bound_of
from shared.schemas.commands import LimitRequest
from shared.schemas.guard import ChangedLimit
from shared.schemas.session import MOST_AT_RISK_LIVE, RiskLimits


class Change(NamedTuple):
    """A limit of one session as it would be: `raises` where it allows anything that was forbidden."""

    session_id: str
    before: str
    after: str
    raises: bool

    def told(self, request: LimitRequest, control_sequence: int) -> ChangedLimit:
        """The change as a fact tells it."""
        return ChangedLimit(
            limit=request.limit,
            before=self.before,
            after=self.after,
            reason=request.reason,
            operator=request.operator,
            control_sequence=control_sequence,
        )


def change(guard: Guard, request: LimitRequest) -> Change | str:
    """What the request makes of the session's limit, or why it can't be made."""
    if guard.config is None:
        return "the session has not started"
    if request.limit not in LIMITS:
        return f"there is no limit {request.limit!r}; there are {', '.join(LIMITS)}"
    limits = guard.config.risk
    changed = changed_limits(limits, request.limit, request.value)
    if isinstance(changed, str):
        return changed
    old, new = getattr(limits, request.limit), getattr(changed, request.limit)
    if old == new:
        return f"{request.limit} is {bound_of(old)} already"
    if guard.venue.mode == "live" and (problem := too_much_for_live(changed)):
        return problem
    return Change(guard.session_id, bound_of(old), bound_of(new), _raises(old, new))


def changed_limits(limits: RiskLimits, name: str, value: str) -> RiskLimits | str:
    """The limits with one of them as `value` says it, written as in the session file; or why that is none."""
    given: Any = [part.strip() for part in value.split(",")] if name == "allowed_order_types" else value
    try:
        return RiskLimits.model_validate({**limits.model_dump(), name: given})
    except ValidationError as error:
        return f"{name}: {'; '.join(problem['msg'] for problem in error.errors())}"


def too_much_for_live(limits: RiskLimits) -> str | None:
    """Why the limits may not be traded under with real money, or None."""
    if limits.max_risk_per_trade is not None and limits.max_risk_per_trade <= MOST_AT_RISK_LIVE:
        return None
    return f"max_risk_per_trade may be {MOST_AT_RISK_LIVE} at most with real money"


def with_ceiling(limits: RiskLimits) -> RiskLimits:
    """The limits as they count with real money, whatever the session file says."""
    if too_much_for_live(limits) is None:
        return limits
    return limits.model_copy(update={"max_risk_per_trade": MOST_AT_RISK_LIVE})


def _raises(old: Any, new: Any) -> bool:
    if isinstance(old, tuple):
        return not set(new) <= set(old)
    bounds: tuple[type, ...] = (int, Decimal, timedelta)
    return old is not None and (not isinstance(new, bounds) or new > old)
