"""What commands act upon: the stack's latch, the sessions under guard, and the second factor's last code."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from services.risk.core import halts
from services.risk.core.state import NOT_ENABLED, Guard
from shared.domain.replacing import often_replaced
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, TradingHalted, TradingResumed
from shared.schemas.values import STACK


@often_replaced
class Stack(NamedTuple):
    """The stack as commands see it. `halt` is its latch; `ended` are sessions known to be over.

    `spent_step` is the time step of the last one-time code that was shown; codes up to it are used up. `wrong_codes`
    are when the last wrong ones were shown.
    """

    halt: Halt | None = None
    guards: Mapping[str, Guard] = MappingProxyType({})
    ended: AbstractSet[str] = frozenset()
    spent_step: int = -1
    wrong_codes: tuple[datetime, ...] = ()

    def halted_sessions(self) -> list[str]:
        """Sessions that stand still by a person's or a limit's doing."""
        return [name for name, guard in self.guards.items() if guard.halt not in (None, NOT_ENABLED)]


def latched(halt: Halt | None, fact: Event) -> Halt | None:
    """The stack's latch after `fact`; only facts told under the stack's own id move it."""
    if fact.session_id != STACK:
        return halt
    if isinstance(fact, TradingHalted):
        return halts.stronger(halt, fact.details)
    return None if isinstance(fact, TradingResumed) else halt
