"""Facts as the stream holds them, for tests that restore the simulated exchange."""

from datetime import datetime
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from shared.schemas.codec import decode, encode, subject_of
from shared.schemas.envelope import Event

E = TypeVar("E", bound=Event)
SESSION = str(UUID(int=1))
_ids = count(2)


def recorded(kind: type[E], market_time: datetime, **fields: Any) -> E:
    """A fact of `kind` by the runner, or by the guard where only that may tell it, after its journey in the stream."""
    name, writer = str(UUID(int=next(_ids))), "runner" if "runner" in kind.WRITERS else "risk"
    fields |= {"session_id": SESSION, "service": writer, "id": name, "correlation_id": name, "causation_id": name}
    event = kind(timestamp=market_time, market_time=market_time, **fields)
    stored = decode(subject_of(event), encode(event))
    assert isinstance(stored, kind)
    return stored
