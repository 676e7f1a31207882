"""What a guard must know to go on where an earlier one stood."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from services.risk.core.post import Post
from shared.domain.once import Source


class Memory(NamedTuple):
    """The guard after all of EVENTS before `next_event`, and all of CONTROL before `next_command`.

    `ids` and `bars` are what `shared.domain.once` remembers.
    """

    post: Post
    next_event: int
    next_command: int
    ids: bytes = b""
    bars: Mapping[Source, tuple[datetime, frozenset[str]]] = {}
