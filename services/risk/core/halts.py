"""Which halt counts when several come together, and by which rule it refuses orders."""

from services.risk.core.state import NOT_ENABLED
from services.risk.limits.excess import Excess
from shared.schemas.guard import Halt

_RANK = {"pause": 1, "limit": 2, "kill": 3}
_CONDITIONAL = 0
_RULE = {"pause": "paused", "limit": "halted", "kill": "killed"}


def stronger(present: Halt | None, new: Halt) -> Halt:
    """The halt in force after `new`: a kill beats a limit, a limit a pause, a pause what may end by itself.

    Of equals the newer one counts, with the conditions of both.
    """
    if present is None or present == NOT_ENABLED:
        return new
    if is_conditional(present) and is_conditional(new):
        return new.model_copy(update={"conditions": tuple(dict.fromkeys((*present.conditions, *new.conditions)))})
    return new if _rank(new) >= _rank(present) else present


def is_conditional(halt: Halt | None) -> bool:
    """Whether the halt stands only for want of something that may be restored."""
    return halt is not None and bool(halt.conditions)


def _rank(halt: Halt) -> int:
    return _CONDITIONAL if is_conditional(halt) else _RANK[halt.kind]


def refusal(halt: Halt) -> Excess:
    """The rule by which a halt refuses new risk: `killed`, `paused` or `halted`."""
    return Excess(_RULE[halt.kind], "no new risk until an operator resumes", halt.reason)
