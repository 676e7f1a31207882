"""One queue and one sender a channel, so that a channel that hangs holds up nobody else."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from services.notifier.channels.port import Channel, UndeliverableError
from services.notifier.core.message import Message, was_not_sent, was_sent
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.errors import RetryableError
from shared.schemas.lifecycle import AlertFailed, AlertSent

ALERTS = Counter("leitstand_alerts", "Messages to people, by their outcome: sent or failed.", ["channel", "outcome"])
LONGEST_QUEUE = 500
"""Messages that wait for one channel; urgent ones may take as many places again."""
_log = structlog.get_logger("alerts")


@dataclass(frozen=True, slots=True)
class Due:
    """A message and the number of its fact in EVENTS."""

    message: Message
    sequence: int


class Dispatch:
    """Hands messages to `channel` one after the other and tells what became of them."""

    def __init__(
        self, channel: Channel, bus: Bus, settled: Callable[[int], None], longest: int = LONGEST_QUEUE
    ) -> None:
        self.channel = channel
        self._bus = bus
        self._settled = settled
        self._longest = longest
        self._waiting: asyncio.Queue[Due] = asyncio.Queue()
        self._overflow: asyncio.Queue[Due] = asyncio.Queue()
        for outcome in ("sent", "failed"):
            ALERTS.labels(channel.name, outcome)

    def offer(self, due: Due) -> None:
        """Take a message; never waits. One that finds the queue full is told as failed."""
        room = self._longest * (2 if due.message.severity == "critical" else 1)
        queue = self._waiting if self._waiting.qsize() < room else self._overflow
        queue.put_nowait(due)

    async def run(self) -> None:
        """Deliver without end."""
        await asyncio.gather(self._deliver_all(), self._give_up_all())

    async def drained(self) -> None:
        """Wait until every message that was taken has its outcome."""
        await self._waiting.join()
        await self._overflow.join()

    async def _deliver_all(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty() and self._fits(batch):
                batch.append(self._waiting.get_nowait())
            await self._deliver(batch)
            self._done(self._waiting, batch)

    async def _give_up_all(self) -> None:
        while True:
            due = await self._overflow.get()
            await self._tell_failed([due], f"more than {self._longest} messages wait for {self.channel.name}", 1)
            self._done(self._overflow, [due])

    def _fits(self, batch: Sequence[Due]) -> bool:
        """Whether one more message of ordinary length goes along."""
        return sum(len(due.message.text) + 1 for due in batch) + 500 < self.channel.longest

    async def _deliver(self, batch: Sequence[Due]) -> None:
        urgent = any(due.message.severity == "critical" for due in batch)
        try:
            attempts = await self.channel.deliver("\n".join(due.message.text for due in batch), urgent)
        except UndeliverableError as error:
            await self._tell_failed(batch, str(error), error.attempts)
            return
        except Exception as error:
            _log.exception("unforeseen failure of a channel", channel=self.channel.name)
            await self._tell_failed(batch, f"unforeseen failure: {type(error).__name__}", 1)
            return
        await self._tell([was_sent(due.message, self.channel.name, attempts, clock.now()) for due in batch], "sent")

    async def _tell_failed(self, batch: Sequence[Due], error: str, attempts: int) -> None:
        _log.error("alert failed", channel=self.channel.name, messages=len(batch), error=error)
        name = self.channel.name
        facts = [was_not_sent(due.message, name, attempts, clock.now(), error) for due in batch]
        await self._tell(facts, "failed")

    async def _tell(self, facts: Sequence[AlertSent | AlertFailed], outcome: str) -> None:
        ALERTS.labels(self.channel.name, outcome).inc(len(facts))
        while True:
            try:
                await self._bus.append(facts)
                return
            except RetryableError as error:
                _log.warning("outcome not stored yet", channel=self.channel.name, error=str(error))

    def _done(self, queue: asyncio.Queue[Due], batch: Sequence[Due]) -> None:
        for due in batch:
            self._settled(due.sequence)
            queue.task_done()
