"""A writer's voice: what it tells is stored in order, and only as long as no other writer has taken over from it.

Whoever takes over tells a claim, the last fact on a subject that only claims are told on. Every fact is stored on the
condition that the claim is still the last of its kind, so a writer that was frozen, or that never noticed its
successor, is refused by the stream itself.
"""

import asyncio
from collections.abc import Sequence

from shared.runtime.bus import Bus
from shared.runtime.outbox import Outbox
from shared.schemas.envelope import Event
from shared.schemas.subjects import EVENTS


class Voice:
    """Has a say from `claim` on, until another one claims the same; after that, everything raises FencedError."""

    def __init__(self, bus: Bus, claims: str) -> None:
        self.told = 0
        """How many facts were told."""
        self._bus = bus
        self._claims = claims
        self._claimed = 0
        self._outbox = Outbox(bus)
        self._turn = asyncio.Lock()

    @property
    def last(self) -> int:
        """The stream's number of the last fact that is known to be stored."""
        return max(self._outbox.last, self._claimed)

    async def claim(self, facts: Sequence[Event], *, after: int, on: str) -> None:
        """Take over: store `facts`, the claim last, if number `after` is still the last on the subject `on`."""
        async with self._turn:
            self._claimed = await self._bus.append(facts, after=after, on=on)
        self.told += len(facts)

    async def renew(self, facts: Sequence[Event]) -> None:
        """Tell `facts`, the last of which is a claim once more."""
        async with self._turn:
            await self._settled()
            self._claimed = await self._bus.append(facts, after=self._claimed, on=self._claims)
        self.told += len(facts)

    async def say(self, facts: Sequence[Event]) -> None:
        """Send `facts` on their way, in order. A crash may leave the first few of them."""
        async with self._turn:
            for fact in facts:
                await self._outbox.post(fact, after=self._claimed, on=self._claims)
            self._bus.push()
        self.told += len(facts)

    async def say_together(self, facts: Sequence[Event]) -> None:
        """Store `facts`, all or none, behind all that was said before."""
        async with self._turn:
            await self._settled()
            last = await self._bus.append(facts, after=self._claimed, on=self._claims)
            self._outbox.last = max(self._outbox.last, last)
        self.told += len(facts)

    async def settled(self) -> int:
        """Return once all that was said is stored; answers `last`."""
        async with self._turn:
            await self._settled()
        return self.last

    async def keep(self) -> None:
        """Store again what got lost on its way, as soon as it is noticed; without end."""
        while True:
            await self._outbox.trouble.wait()
            await self.settled()

    async def last_claim(self) -> int:
        """The number of the last claim in the stream, whoever made it; 0 for none."""
        found = await self._bus.latest(EVENTS, [self._claims])
        return found[-1].sequence if found else 0

    def is_foreign(self, sequence: int) -> bool:
        """Whether the claim that is number `sequence` of the stream was made after our own last one."""
        return sequence > self._claimed

    async def _settled(self) -> None:
        await self._outbox.settle(after=self._claimed, on=self._claims)
