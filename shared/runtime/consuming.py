"""Reading a stream in order and without holes, by a push consumer of our own that is made anew whenever in doubt."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any

from nats.aio.subscription import Subscription

from shared.runtime import clock
from shared.runtime.connection import Connection, RefusedError
from shared.runtime.delivery import Delivery, Headers, Receipt, received
from shared.runtime.errors import FatalError, RetryableError
from shared.runtime.streams import last_sequence, message_at
from shared.runtime.wire import Frame
from shared.schemas.subjects import WHOLE_STREAM

_SECOND = 1_000_000_000
_HEARTBEAT_SECONDS = 0.5
_SILENCE_SECONDS = 3 * _HEARTBEAT_SECONDS
_WINDOW = 1000
"""So many messages the server sends ahead of what was taken."""
_ACKNOWLEDGED_AT_ONCE = _WINDOW // 2
_CONSUMER: dict[str, Any] = {
    "ack_policy": "all",
    "ack_wait": 24 * 3600 * _SECOND,
    "max_ack_pending": _WINDOW,
    "max_deliver": 1,
    "mem_storage": True,
    "num_replicas": 1,
    "idle_heartbeat": int(_HEARTBEAT_SECONDS * _SECOND),
    "inactive_threshold": 5 * _SECOND,
}
_CONTROL = b"NATS/1.0 100"
_LAST_SENT = "Nats-Last-Consumer"


class Inlet:
    """One consumer on the server and what it has delivered so far.

    It ends at the first sign that something may be missing: a hole in the consumer's numbering, silence, or a lost
    connection. The server sends no more than the window ahead of what was taken from here and acknowledged, so memory
    stays bounded and answers to other requests don't queue behind a flood.
    """

    def __init__(self, connection: Connection) -> None:
        self.pending = 0
        """How many matching messages are still to come: when the consumer was made, then behind what was taken."""
        self._connection = connection
        self._waiting: list[Delivery] = []
        self._last: Receipt | None = None
        self._wakeup: asyncio.Future[None] | None = None
        self._received = 0
        self._acknowledged = 0
        self._over = False
        self._heard_at = clock.monotonic()
        self._subscription: Subscription | None = None
        self._watch: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many messages have come that nobody has taken yet."""
        return len(self._waiting)

    async def open(self, stream: str, subjects: Sequence[str], start: dict[str, Any]) -> None:
        """Make the consumer; `start` is its deliver policy. FatalError when the server refuses."""
        inbox = self._connection.client.new_inbox()
        self._subscription = await self._connection.subscribe(inbox, self.receive)
        self._connection.when_lost.add(self._end)
        config = {**_CONSUMER, **start, "deliver_subject": inbox, "filter_subjects": list(subjects)}
        try:
            answer = await self._connection.api(f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config})
        except RefusedError as error:
            raise FatalError(f"{stream} can't be read: {error}") from None
        self.pending = int(answer["num_pending"])
        self._listen()

    async def close(self) -> None:
        """Give up interest; the server then removes the consumer by itself."""
        self._end()
        self._connection.when_lost.discard(self._end)
        if self._watch is not None:
            self._watch.cancel()
        if self._subscription is not None:
            await self._connection.unsubscribe(self._subscription)

    async def take(self) -> Sequence[Delivery]:
        """All messages that have come, at least one; none once the inlet has ended."""
        while not self._waiting and not self._over:
            self._wakeup = asyncio.get_running_loop().create_future()
            await self._wakeup
        taken, self._waiting = self._waiting, []
        if taken and self._last is not None:
            self._took(self._last)
        return taken

    def _took(self, receipt: Receipt) -> None:
        self.pending = receipt.pending
        if receipt.number - self._acknowledged < _ACKNOWLEDGED_AT_ONCE:
            return
        self._acknowledged = receipt.number
        with suppress(RetryableError):
            self._connection.send(receipt.reply, b"")

    def receive(self, frame: Frame) -> None:
        """Take in what the server sent: a message, or word of how many it has sent so far."""
        self._heard_at = clock.monotonic()
        if self._over:
            return
        try:
            if frame.header.startswith(_CONTROL):
                self._expect(int(Headers(frame.header).get(_LAST_SENT, self._received)), self._received)
                return
            receipt, delivery = received(frame)
        except ValueError:
            self._end()
            return
        if self._expect(receipt.number, self._received + 1):
            self._received, self._last = receipt.number, receipt
            self._waiting.append(delivery)
            self._wake()

    def _expect(self, number: int, expected: int) -> bool:
        if number != expected:
            self._end()
        return number == expected

    def _wake(self) -> None:
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)

    def _end(self) -> None:
        self._over = True
        self._wake()

    def _listen(self) -> None:
        if clock.monotonic() - self._heard_at > _SILENCE_SECONDS:
            self._end()
            return
        self._watch = asyncio.get_running_loop().call_later(_HEARTBEAT_SECONDS, self._listen)


class Progress:
    """How far a reader has come in `stream`. FatalError at the first sign that what it was given is not all.

    Nothing may be deleted from the streams of facts and of commands, so whoever reads all subjects of one must be given
    every number.
    """

    def __init__(self, stream: str, subjects: Sequence[str], start: int) -> None:
        self.next = max(start, 1)
        """The number that is to be read next."""
        self._stream = stream
        self._is_whole = WHOLE_STREAM.get(stream) in subjects
        self._last: Delivery | None = None

    def take(self, delivery: Delivery) -> None:
        """The next message that was given."""
        number = delivery.sequence
        if number != self.next and (self._is_whole or number < self.next):
            raise FatalError(f"{self._stream}: number {self.next} was to come next, but {number} came; {_ADVICE}")
        self.next, self._last = number + 1, delivery

    def end_at(self, end: int) -> None:
        """There is no more to read, and the stream ends at number `end`."""
        if self._is_whole and self.next <= end:
            raise FatalError(f"{self._stream}: nothing comes from number {self.next} to {end}; {_ADVICE}")

    async def check_history(self, connection: Connection) -> None:
        """What was read before must still stand in the stream as it was."""
        end = await last_sequence(connection, self._stream)
        if self.next > end + 1:
            raise FatalError(f"{self._stream} ends at {end}, but {self.next - 1} had been read; {_ADVICE}")
        if self._last is None:
            return
        found = await message_at(connection, self._stream, self._last.sequence)
        if found is None or (found.subject, found.payload) != (self._last.subject, self._last.payload):
            raise FatalError(f"{self._stream}: number {self._last.sequence} is not what had been read; {_ADVICE}")


_ADVICE = "the server has lost messages; restore its store, then start again"


async def follow(
    connection: Connection, stream: str, subjects: Sequence[str], start: int
) -> AsyncGenerator[Sequence[Delivery], None]:
    """Every message from number `start` on that matches, in order, without end; together what came together."""
    progress = Progress(stream, subjects, start)
    while True:
        await connection.restored()
        inlet = Inlet(connection)
        try:
            await progress.check_history(connection)
            await inlet.open(stream, subjects, _from(progress.next))
            while taken := await inlet.take():
                for delivery in taken:
                    progress.take(delivery)
                yield taken
        except RetryableError:
            if connection.connected:
                raise
        finally:
            await inlet.close()


async def read(
    connection: Connection, stream: str, subjects: Sequence[str], start: int
) -> AsyncGenerator[Sequence[Delivery], None]:
    """Every message from number `start` on that matches and is stored now, in order; together what came together."""
    progress, end = Progress(stream, subjects, start), await last_sequence(connection, stream)
    while progress.next <= end:
        inlet = Inlet(connection)
        try:
            await inlet.open(stream, subjects, _from(progress.next))
            while inlet.pending and (taken := await inlet.take()):
                stored = [delivery for delivery in taken if delivery.sequence <= end]
                for delivery in stored:
                    progress.take(delivery)
                yield stored
                if len(stored) < len(taken):
                    return
            if not inlet.pending:
                progress.end_at(end)
                return
        finally:
            await inlet.close()


async def latest(connection: Connection, stream: str, subjects: Sequence[str]) -> list[Delivery]:
    """The last message on each matching subject, in stream order."""
    while True:
        found: list[Delivery] = []
        inlet = Inlet(connection)
        try:
            await inlet.open(stream, subjects, {"deliver_policy": "last_per_subject"})
            while inlet.pending and (taken := await inlet.take()):
                found += taken
            if not inlet.pending:
                return found
        finally:
            await inlet.close()


def _from(position: int) -> dict[str, Any]:
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": position}
