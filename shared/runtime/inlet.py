"""A push consumer of our own on the server, made anew whenever in doubt."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from nats.aio.subscription import Subscription

from shared.runtime import clock
from shared.runtime.connection import Connection, RefusedError
from shared.runtime.delivery import Delivery, Headers, Receipt, received
from shared.runtime.errors import FatalError, RetryableError
from shared.runtime.wire import Frame

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
