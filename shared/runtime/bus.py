"""The bus as services see it: facts in, facts out, commands and dead letters."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Self

from shared.runtime import clock, consuming, metrics, publishing, streams
from shared.runtime.connection import Connection, RefusedError
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.runtime.publishing import Fence, Outcome
from shared.runtime.settings import Settings
from shared.schemas.envelope import Event
from shared.schemas.subjects import command_subject, deadletter_subject, writer_subjects

__all__ = ["Bus", "Delivery"]

_LARGEST_DEADLETTER = 900_000


class Bus:
    """NATS JetStream behind the few things that services do with it. Made by `connect`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    async def connect(cls, settings: Settings, service_name: str) -> Self:
        """Connect as `service_name`; FatalError when no server can be reached."""
        return cls(await Connection.open(settings, service_name))

    async def ensure_streams(self) -> None:
        """Make the contract's streams, or bring them up to date; FatalError when that is impossible."""
        await streams.ensure_streams(self.connection)

    async def append(
        self, events: Sequence[Event], *, after: int | None = None, on: str | None = None, atomic: bool = True
    ) -> int:
        """Store `events` in order, each exactly once; answers the last one's number in EVENTS, 0 for no events.

        Up to 1000 events are stored all or none; that costs the server five synchronous writes to its disk. Without
        `atomic` they are stored one by one in order: far cheaper, but a crash may leave only the first of them, and
        others' facts may come between. Repeated across reconnects for some 30 seconds, then RetryableError.
        `after` is the number of the last message that this writer is known to have stored for the session (0: none);
        FencedError when another one has written since. With `on`, it is the number of the last message on that subject
        instead, whatever the events' own subjects are.
        """
        return await publishing.append(self.connection, events, _fence(events, after, on), atomic)

    def post(self, event: Event, told: Callable[[Outcome], None], *, after: int, on: str) -> None:
        """Send `event` at once; `told` is given its number in EVENTS later, or the error that says to append it.

        Posts arrive in their order. It is stored only while `after` is the number of the last message on the subject
        `on`. RetryableError when the server can't be reached: then `told` is given nothing.
        """
        publishing.post(self.connection, event, Fence(on, after, own=False), told)

    def push(self) -> None:
        """Write what has been posted at once, before anything else is done."""
        self.connection.push()

    async def message_at(self, stream: str, sequence: int) -> streams.Message | None:
        """Subject and payload of the message that is number `sequence` in `stream`, None when there is none."""
        return await streams.message_at(self.connection, stream, sequence)

    async def last_on(self, stream: str, subject: str) -> streams.Message | None:
        """The last message on `subject` in `stream`, None when there is none; far cheaper than `latest`."""
        return await streams.last_on(self.connection, stream, subject)

    async def last_number_on(self, stream: str, subject: str) -> int:
        """The number of the last message on `subject` (wildcards allowed) in `stream`, 0 when there is none."""
        return await streams.last_number_on(self.connection, stream, subject)

    async def last_sequence(self, stream: str) -> int:
        """The number of the last message in `stream`, 0 when it is empty."""
        return await streams.last_sequence(self.connection, stream)

    async def read(self, stream: str, subjects: Sequence[str], start: int = 1) -> AsyncGenerator[Delivery, None]:
        """What is stored now on `subjects` (wildcards allowed) from number `start` on, in order; then ends."""
        async for stretch in self.read_in_stretches(stream, subjects, start):
            for delivery in stretch:
                yield delivery

    def read_in_stretches(
        self, stream: str, subjects: Sequence[str], start: int = 1
    ) -> AsyncGenerator[Sequence[Delivery], None]:
        """What `read` gives, together what came together: for who reads long sessions."""
        return consuming.read(self.connection, stream, subjects, start)

    async def follow(self, stream: str, subjects: Sequence[str], start: int) -> AsyncGenerator[Delivery, None]:
        """Everything on `subjects` from number `start` on, in order and complete, without end.

        Goes on by itself after a lost connection or a restart of the server. FatalError when completeness can't be
        kept, because the server lost what had been read or the connection has ended for good.
        """
        async for stretch in consuming.follow(self.connection, stream, subjects, start):
            for delivery in stretch:
                metrics.count_consumed(delivery.subject)
                yield delivery

    async def follow_in_stretches(
        self, stream: str, subjects: Sequence[str], start: int
    ) -> AsyncGenerator[Sequence[Delivery], None]:
        """What `follow` gives, together what came together: for who handles many at once."""
        async for stretch in consuming.follow(self.connection, stream, subjects, start):
            for subject, times in Counter(delivery.subject for delivery in stretch).items():
                metrics.count_consumed(subject, times)
            yield stretch

    async def latest(self, stream: str, subjects: Sequence[str]) -> list[Delivery]:
        """The last message on each subject that matches `subjects` (wildcards allowed), in stream order."""
        return await consuming.latest(self.connection, stream, subjects)

    async def command(self, name: str, session_id: str | None, payload: bytes) -> int:
        """Ask for `name` in one session, or in all; answers the command's number in CONTROL."""
        return await self._store(command_subject(name, session_id), payload, {"Nats-Msg-Id": clock.new_id()})

    async def deadletter(self, service: str, delivery: Delivery, reason: str) -> None:
        """Put a message that `service` can't handle aside, with its subject, its number and the reason."""
        headers = {
            "Nats-Msg-Id": f"{service}:{delivery.subject}:{delivery.sequence}",
            "Leitstand-Subject": delivery.subject,
            "Leitstand-Sequence": str(delivery.sequence),
            "Leitstand-Reason": reason[:2000],
        }
        if len(delivery.payload) > _LARGEST_DEADLETTER:
            headers["Leitstand-Truncated"] = str(len(delivery.payload))
        await self._store(deadletter_subject(service), delivery.payload[:_LARGEST_DEADLETTER], headers)
        metrics.DEADLETTERS.inc()

    @property
    def connected(self) -> bool:
        """Whether the server can be reached right now."""
        return self.connection.connected

    @property
    def problem(self) -> str | None:
        """Why the bus is not to be relied upon, None while all is well."""
        return self.connection.problem

    async def close(self) -> None:
        """End the connection; what is still being asked fails."""
        await self.connection.close()

    async def _store(self, subject: str, payload: bytes, headers: dict[str, str]) -> int:
        try:
            answer = await self.connection.persist(lambda: self.connection.request(subject, payload, headers))
        except RefusedError as error:
            raise FatalError(f"the bus refuses {subject}: {error}") from None
        return int(answer["seq"])


def _fence(events: Sequence[Event], after: int | None, on: str | None) -> Fence | None:
    if after is None or not events:
        return None
    if on is not None:
        return Fence(on, after, own=False)
    return Fence(writer_subjects(events[0].session_id, events[0].service), after)
