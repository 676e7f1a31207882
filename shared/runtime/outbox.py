"""Facts on their way into the stream: posted in order, and none waits for the answer to the one before."""

import asyncio
from functools import partial

from shared.runtime.bus import Bus
from shared.runtime.errors import RetryableError
from shared.runtime.publishing import Outcome
from shared.schemas.envelope import Event

IN_FLIGHT = 256
"""So many facts may be without an answer; then the writer waits until half of them have theirs."""


class Outbox:
    """What was posted and not answered yet. One task at a time may `post` or `settle`.

    Facts whose answer is lost are appended once more, in their order and by their own ids. Should the server refuse one
    and take the next, as a full store may, the later one stands before it in the stream.
    """

    def __init__(self, bus: Bus) -> None:
        self.last = 0
        """The stream's number of the last fact that is known to be stored."""
        self.trouble = asyncio.Event()
        """Set while something that was posted has to be appended again."""
        self._bus = bus
        self._posted = 0
        self._open: set[int] = set()
        self._failed: dict[int, Event] = {}
        self._bearable = 0
        self._room: asyncio.Future[None] | None = None

    async def post(self, event: Event, *, after: int, on: str) -> None:
        """Send `event`; waits only where many are under way, or where those before it have to be appended again."""
        if len(self._open) >= IN_FLIGHT:
            await self._until_open(IN_FLIGHT // 2)
        if self._failed:
            await self.settle(after=after, on=on)
        number, self._posted = self._posted, self._posted + 1
        self._open.add(number)
        try:
            self._bus.post(event, partial(self._answered, number, event), after=after, on=on)
        except RetryableError as error:
            self._answered(number, event, error)

    async def settle(self, *, after: int, on: str) -> int:
        """Return once all that was posted is stored; answers `last`. FencedError when another writer has taken over."""
        await self._until_open(0)
        if self._failed:
            facts = [fact for _, fact in sorted(self._failed.items())]
            self.last = max(self.last, await self._bus.append(facts, after=after, on=on, atomic=False))
            self._failed = {}
            self.trouble.clear()
        return self.last

    async def _until_open(self, count: int) -> None:
        if len(self._open) > count:
            self._bearable, self._room = count, asyncio.get_running_loop().create_future()
            await self._room

    def _answered(self, number: int, event: Event, outcome: Outcome) -> None:
        if isinstance(outcome, int):
            self.last = max(self.last, outcome)
        else:
            self._failed[number] = event
            self.trouble.set()
        self._open.discard(number)
        if self._room is not None and not self._room.done() and len(self._open) <= self._bearable:
            self._room.set_result(None)
