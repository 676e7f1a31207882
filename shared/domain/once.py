"""Which facts a fold has taken in, so that a copy that stands in the stream a second time changes nothing.

The stream itself refuses copies for two minutes only. Facts of the market come in the order of its time, so a late copy
of one is told by that and costs no memory; of all others the ids are remembered, up to a bound.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.remembered import Remembered
from shared.schemas.envelope import Event
from shared.schemas.market import CandleClosed, EquityMarked, ShadowMarked

REMEMBERED = 100_000
"""So many ids are kept, 16 bytes each: those of some 15,000 orders."""
_OF_BARS = frozenset({CandleClosed, EquityMarked, ShadowMarked})
Source = tuple[str, str, str]
"""A session, a writer and a type."""


class Once:
    """Remembers what was taken in: `knows` answers whether an event was noted before."""

    def __init__(self) -> None:
        self._ids = Remembered(REMEMBERED)
        self._bars: dict[Source, tuple[datetime, set[str]]] = {}

    def knows(self, event: Event) -> bool:
        """Whether `event` has been noted."""
        if type(event) not in _OF_BARS:
            return event.id in self._ids
        newest = self._bars.get(_source(event))
        if newest is None:
            return False
        at, told = newest
        closed = event.details.close_time
        return closed < at or (closed == at and event.id in told)

    def note(self, event: Event) -> None:
        """Remember `event`; of the facts about bars only those of the newest."""
        if type(event) in _OF_BARS:
            self._note_bar(event)
            return
        self._ids.note(event.id)

    def is_new(self, event: Event) -> bool:
        """Whether `event` has not been noted, which it is from now on: `knows` and `note` in one."""
        if type(event) not in _OF_BARS:
            return self._ids.note(event.id)
        source, at = _source(event), event.details.close_time
        newest = self._bars.get(source)
        if newest is None or at > newest[0]:
            self._bars[source] = (at, {event.id})
            return True
        if at < newest[0] or event.id in newest[1]:
            return False
        newest[1].add(event.id)
        return True

    def _note_bar(self, event: Any) -> None:
        source, at = _source(event), event.details.close_time
        newest = self._bars.get(source)
        if newest is not None and newest[0] == at:
            newest[1].add(event.id)
        else:
            self._bars[source] = (at, {event.id})

    def forget(self, session_id: str) -> None:
        """Let go of what only matters while a session runs."""
        self._bars = {source: newest for source, newest in self._bars.items() if source[0] != session_id}

    def packed(self) -> tuple[bytes, Mapping[Source, tuple[datetime, frozenset[str]]]]:
        """All that is remembered, in values that stay as they are."""
        return self._ids.packed(), {source: (at, frozenset(told)) for source, (at, told) in self._bars.items()}

    @classmethod
    def unpacked(cls, ids: bytes, bars: Mapping[Source, tuple[datetime, frozenset[str]]]) -> "Once":
        """What `packed` answered, come to life again."""
        once = cls()
        once._ids = Remembered(REMEMBERED, ids)
        once._bars = {source: (at, set(told)) for source, (at, told) in bars.items()}
        return once


def _source(event: Event) -> Source:
    return event.session_id, event.service, event.type
