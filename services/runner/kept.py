"""What a snapshot of a session holds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from services.runner.core.plan import Plan
from services.runner.core.state import State
from shared.domain.once import Source
from shared.venues.paper import Book


class Kept(NamedTuple):
    """A session between two slices: all that was told is stored, all that was heard is folded.

    `fields` are those of the state but for its plan, which follows from the session's start. `own_sequence` is the
    number of the runner's last fact, `heard_sequence` of the guard's last that was folded: the runner may have told
    more before it heard of the guard's next. `ids` and `bars` are what `shared.domain.once` remembers.
    """

    fields: tuple[Any, ...]
    book: Book
    clock: datetime
    own_sequence: int
    heard_sequence: int
    ids: bytes
    bars: Mapping[Source, tuple[datetime, frozenset[str]]]

    def state(self, plan: Plan) -> State:
        """The state, come to life again."""
        return State(plan, *self.fields)


def fields_of(state: State) -> tuple[Any, ...]:
    """The state without its plan."""
    return tuple(state[1:])
