"""Where the runner's facts wait to be stored, in order."""

import asyncio
from collections.abc import Sequence

from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.schemas.envelope import Event

HELD_AT_MOST = 200
"""So many facts are held before they are stored; the server takes batches of up to 1000."""
HELD_SECONDS = 0.2


class Journal:
    """Stores the runner's facts in order, one writer at a time.

    Facts that nobody waits for are held for a moment and stored together, for a batch costs the server several forced
    writes whatever its size. What is held when the process dies was acted on by nobody, and is decided again alike.
    A second runner on the session is refused by the stream itself, with a FencedError here.
    """

    def __init__(self, bus: Bus, last: int) -> None:
        self._bus = bus
        self.last = last
        """The stream's number of the last fact that was stored."""
        self._held: list[Event] = []
        self._held_since = 0.0
        self._turn = asyncio.Lock()
        self.stored = 0

    async def hold(self, facts: Sequence[Event]) -> None:
        """Take on `facts`, to be stored with the next `flush`, or now when many are held or the oldest has waited."""
        if not self._held:
            self._held_since = clock.monotonic()
        self._held.extend(facts)
        if len(self._held) >= HELD_AT_MOST or clock.monotonic() - self._held_since > HELD_SECONDS:
            await self.flush()

    async def flush(self) -> None:
        """Store all that is held, all or none."""
        async with self._turn:
            while self._held:
                facts, self._held = self._held, []
                self.last = await self._bus.append(facts, after=self.last)
                self.stored += len(facts)

    async def append(self, facts: Sequence[Event]) -> None:
        """Store `facts`, behind what is held."""
        self._held.extend(facts)
        await self.flush()
