"""Which halt counts when several come together, and by which rule it refuses orders."""

from services.risk.core.state import NOT_ENABLED
from services.risk.limits.excess import Excess
from shared.schemas.guard import Halt

_RANK = {"pause": 1, "limit": 2, "kill": 3}
_RULE = {"pause": "paused", "limit": "halted", "kill": "killed"}


def stronger(present: Halt | None, new: Halt) -> Halt:
    """The halt in force after `new`: a kill beats a limit, a limit a pause; of equals the newer one counts."""
    if present is None or present == NOT_ENABLED:
        return new
    return new if _RANK[new.kind] >= _RANK[present.kind] else present


def refusal(halt: Halt) -> Excess:
    """The rule by which a halt refuses new risk: `killed`, `paused` or `halted`."""
    return Excess(_RULE[halt.kind], "no new risk until an operator resumes", halt.reason)
