"""Snapshots of a session under way, so that a restart need not read all that it has told."""

from collections.abc import Iterable

from services.runner.core.state import State
from services.runner.hearing import Hearing
from services.runner.kept import Kept, fields_of
from shared.domain.once import Once
from shared.runtime.snapshots import Keeper, Snapshot
from shared.runtime.voice import Voice
from shared.schemas.envelope import Event
from shared.venues.paper import PaperVenue, opened
from shared.venues.port import Venue


class Keeping:
    """Notes what was told, and now and then keeps the session as it stands between two slices."""

    def __init__(self, keeper: Keeper, voice: Voice, hearing: Hearing, once: Once) -> None:
        self._keeper = keeper
        self._voice = voice
        self._hearing = hearing
        self._once = once

    def note(self, facts: Iterable[Event]) -> None:
        """The session tells `facts`."""
        for fact in facts:
            self._once.note(fact)

    async def consider(self, state: State, venue: Venue) -> None:
        """Keep the session, if it is time to: everything heard has been taken in, and nothing is in between.

        A real venue keeps its own books; where an order stands there is asked anew.
        """
        if not self._keeper.due(self._voice.last):
            return
        heard, own = self._hearing.taken, await self._voice.settled()
        book = venue.book if isinstance(venue, PaperVenue) else opened(state.plan.config)
        kept = Kept(fields_of(state), book, venue.clock, own, heard, *self._once.packed())
        self._keeper.keep(Snapshot(own, kept))
