"""A bus in memory that keeps the promises of the real one: one order, fences, and copies for as long as it is told."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import cache
from typing import cast

from shared.runtime.bus import Bus
from shared.runtime.connection import RefusedError
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FencedError
from shared.runtime.publishing import Outcome
from shared.runtime.streams import Message
from shared.schemas.codec import encode, subject_of
from shared.schemas.envelope import Event
from shared.schemas.subjects import CONTROL, DEADLETTER, EVENTS, command_subject, deadletter_subject, writer_subjects

_STORED_AT = 1_767_571_200_000_000_000
_SECOND = 1_000_000_000


def matches(subject: str, wanted: Sequence[str]) -> bool:
    """Whether one of the `wanted` subjects, wildcards allowed, takes in `subject`."""
    return any(_pattern(one).fullmatch(subject) for one in wanted)


@cache
def _pattern(subject: str) -> re.Pattern[str]:
    return re.compile(re.escape(subject).replace(r"\*", r"[^.]+").replace(r"\.>", r"\..+"))


class MemoryBus:
    """`given` counts the messages that were read, not followed. `bus` is this, under the name of what it stands for."""

    connected = True

    def __init__(self) -> None:
        self.streams: dict[str, list[Delivery]] = {EVENTS: [], CONTROL: [], DEADLETTER: []}
        self.given: dict[str, int] = {EVENTS: 0, CONTROL: 0, DEADLETTER: 0}
        self._grown = asyncio.Event()
        self._numbers: dict[str, int] = {}

    @property
    def bus(self) -> Bus:
        return cast(Bus, self)

    def store(self, stream: str, subject: str, payload: bytes, **headers: str) -> Delivery:
        """Put a message at the stream's end, whatever it is."""
        stored = self.streams[stream]
        header = "\r\n".join(["NATS/1.0", *(f"{name}: {value}" for name, value in headers.items())]).encode()
        stored.append(Delivery(subject, payload, len(stored) + 1, _STORED_AT + len(stored) * _SECOND, header))
        self._grown.set()
        self._grown = asyncio.Event()
        return stored[-1]

    def store_events(self, *events: Event) -> None:
        """Put events at the end, copies of what is there already included."""
        for event in events:
            stored = self.store(EVENTS, subject_of(event), encode(event), **{"Nats-Msg-Id": event.id})
            self._numbers.setdefault(event.id, stored.sequence)

    async def append(
        self, events: Sequence[Event], *, after: int | None = None, on: str | None = None, atomic: bool = True
    ) -> int:
        fresh = [event for event in events if event.id not in self._numbers]
        if fresh and after is not None:
            self._check_fence(on or writer_subjects(events[0].session_id, events[0].service), after)
        self.store_events(*fresh)
        return len(self.streams[EVENTS]) if fresh else max((self._numbers[event.id] for event in events), default=0)

    def post(self, event: Event, told: Callable[[Outcome], None], *, after: int, on: str) -> None:
        """Stored at once; what can't be is to be appended, as with the real one."""
        try:
            if event.id in self._numbers:
                raise FencedError("known already")
            self._check_fence(on, after)
        except FencedError as error:
            told(RefusedError(0, str(error)))
            return
        self.store_events(event)
        told(len(self.streams[EVENTS]))

    def push(self) -> None:
        """Nothing waits here."""

    def _check_fence(self, subject: str, after: int) -> None:
        newest_first = reversed(self.streams[EVENTS])
        last = next((one.sequence for one in newest_first if matches(one.subject, [subject])), 0)
        if last != after:
            raise FencedError(f"{subject} ends at {last}, not {after}")

    def _from(self, stream: str, subjects: Sequence[str], start: int) -> list[Delivery]:
        return [one for one in self.streams[stream][max(start, 1) - 1 :] if matches(one.subject, subjects)]

    async def read(self, stream: str, subjects: Sequence[str], start: int = 1) -> AsyncGenerator[Delivery, None]:
        for delivery in self._from(stream, subjects, start):
            self.given[stream] += 1
            yield delivery

    async def read_in_stretches(
        self, stream: str, subjects: Sequence[str], start: int = 1
    ) -> AsyncGenerator[Sequence[Delivery], None]:
        async for delivery in self.read(stream, subjects, start):
            yield [delivery]

    async def follow(self, stream: str, subjects: Sequence[str], start: int) -> AsyncGenerator[Delivery, None]:
        position = start
        while True:
            grown = self._grown
            for delivery in self._from(stream, subjects, position):
                yield delivery
                position = delivery.sequence + 1
            await grown.wait()

    async def follow_in_stretches(
        self, stream: str, subjects: Sequence[str], start: int
    ) -> AsyncGenerator[Sequence[Delivery], None]:
        async for delivery in self.follow(stream, subjects, start):
            yield [delivery]

    async def latest(self, stream: str, subjects: Sequence[str]) -> list[Delivery]:
        last = {one.subject: one for one in self.streams[stream] if matches(one.subject, subjects)}
        self.given[stream] += len(last)
        return sorted(last.values(), key=lambda delivery: delivery.sequence)

    async def last_sequence(self, stream: str) -> int:
        return len(self.streams[stream])

    async def message_at(self, stream: str, sequence: int) -> Message | None:
        stored = self.streams[stream]
        if not 1 <= sequence <= len(stored):
            return None
        return Message(stored[sequence - 1].subject, stored[sequence - 1].payload)

    async def command(self, name: str, session_id: str | None, payload: bytes) -> int:
        return self.store(CONTROL, command_subject(name, session_id), payload).sequence

    async def deadletter(self, service: str, delivery: Delivery, reason: str) -> None:
        headers = {"Leitstand-Subject": delivery.subject, "Leitstand-Sequence": str(delivery.sequence)}
        self.store(DEADLETTER, deadletter_subject(service), delivery.payload, **headers, **{"Leitstand-Reason": reason})
