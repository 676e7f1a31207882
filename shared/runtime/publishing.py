"""Storing facts: each exactly once and batches as a whole, across lost answers and restarts of the server."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from shared.runtime import clock, metrics
from shared.runtime.connection import Connection, RefusedError, accepted
from shared.runtime.errors import FatalError, FencedError, RetryableError
from shared.runtime.streams import message_at
from shared.runtime.wire import Frame
from shared.schemas.codec import encode, subject_of
from shared.schemas.envelope import Event
from shared.schemas.subjects import EVENTS

LARGEST_BATCH = 1000
"""So many messages the server takes in one atomic batch."""
_STORED = re.compile(rb'\{"stream":"[A-Z]+", *"seq":([0-9]+)\}')
"""By far the most answers read so; all others are taken apart as JSON."""
_WRONG_LAST_ID = 10070
_WRONG_LAST_SEQUENCE = 10071
_DUPLICATE_IN_BATCH = 10201

Headers = dict[str, str]


class Fence(NamedTuple):
    """Lets an append pass only while `after` is the number of the last message on `subjects`, 0 for none.

    A fence around the `own` subjects of the writer moves with what is stored; around others it stays where it is.
    """

    subjects: str
    after: int
    own: bool = True

    def moved(self, last: int) -> "Fence":
        """The fence after its writer has stored number `last`."""
        return self._replace(after=last) if self.own else self


async def append(
    connection: Connection, events: Sequence[Event], fence: Fence | None = None, atomic: bool = True
) -> int:
    """Store `events` in order, those that are stored already excepted; answers the last one's number in the stream.

    Up to LARGEST_BATCH events are stored all or none; without `atomic` a crash may leave the first few of them.
    FencedError when the `fence` has been passed by another writer, or one of the events has been stored by another.
    """
    last = 0
    for chunk in _chunks(tuple({event.id: event for event in events}.values())):
        last = max(last, await connection.persist(partial(_store, connection, chunk, fence, atomic)))
        fence = fence.moved(last) if fence else None
    for event in events:
        metrics.count_published(event.type)
    return last


Outcome = int | RetryableError | RefusedError
"""A fact's number in the stream, or why it was not stored, or not by this sending: then it is to be appended."""


def post(connection: Connection, event: Event, fence: Fence | None, told: Callable[[Outcome], None]) -> None:
    """Send `event` without waiting; `told` is given what became of it. RetryableError here: nothing was sent."""

    def heard(answer: Frame | RetryableError) -> None:
        told(_outcome(event.type, answer))

    connection.ask(subject_of(event), encode(event), _identity(event) | _headers(fence), heard)


def _outcome(name: str, answer: Frame | RetryableError) -> Outcome:
    if isinstance(answer, RetryableError):
        return answer
    if plain := _STORED.fullmatch(answer.payload):
        metrics.count_published(name)
        return int(plain[1])
    try:
        said = accepted(answer)
    except (RetryableError, RefusedError) as error:
        return error
    if said.get("duplicate"):
        return RefusedError(_DUPLICATE_IN_BATCH, "stored before")
    if "seq" not in said:
        return RetryableError(f"not word of something stored: {said}")
    metrics.count_published(name)
    return int(said["seq"])


def _chunks(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    return (events[start : start + LARGEST_BATCH] for start in range(0, len(events), LARGEST_BATCH))


async def _store(connection: Connection, events: Sequence[Event], fence: Fence | None, atomic: bool) -> int:
    try:
        return await _publish(connection, events, fence, atomic)
    except RefusedError as error:
        if error.code not in (_DUPLICATE_IN_BATCH, _WRONG_LAST_SEQUENCE):
            raise RetryableError(f"the bus refuses to store: {error}") from None
        missing, last = await _missing(connection, events, error, fence is not None)
        return await _store(connection, missing, fence.moved(last) if fence else None, atomic) if missing else last


async def _publish(connection: Connection, events: Sequence[Event], fence: Fence | None, atomic: bool) -> int:
    if len(events) == 1:
        return await _publish_one(connection, events[0], fence)
    if atomic:
        return await _publish_batch(connection, events, fence)
    return await _publish_in_turn(connection, events, fence)


async def _publish_one(connection: Connection, event: Event, fence: Fence | None) -> int:
    answer = await connection.request(subject_of(event), encode(event), _identity(event) | _headers(fence))
    if fence and answer.get("duplicate"):
        await _check_own(connection, event, int(answer["seq"]))
    return int(answer["seq"])


async def _publish_in_turn(connection: Connection, events: Sequence[Event], fence: Fence | None) -> int:
    """All at once, in order. A fence that moves lets only the first pass by its number, and the others behind it."""
    last = await _publish_one(connection, events[0], fence) if fence else 0
    rest = events[1:] if fence else events
    still = None if fence is None or fence.own else fence
    answers = [connection.post(subject_of(event), encode(event), _identity(event) | _headers(still)) for event in rest]
    await asyncio.wait(answers)
    return max([last, *(int(accepted(answer.result())["seq"]) for answer in answers)])


async def _publish_batch(connection: Connection, events: Sequence[Event], fence: Fence | None) -> int:
    """Only the last message is answered; the server stores all when it comes, or none (ADR-50).

    The server stages a batch in a directory of its own with five synchronous writes, so it costs milliseconds where a
    message alone costs microseconds.
    """
    batch = clock.new_id()
    for number, event in enumerate(events[:-1], start=1):
        headers = _identity(event) | _place(batch, number) | _headers(fence if number == 1 else None)
        connection.send(subject_of(event), encode(event), headers)
    final = events[-1]
    headers = _identity(final) | _place(batch, len(events)) | {"Nats-Batch-Commit": "1"}
    answer = await connection.request(subject_of(final), encode(final), headers)
    return int(answer["seq"])


async def _missing(
    connection: Connection, events: Sequence[Event], why: RefusedError, fenced: bool
) -> tuple[list[Event], int]:
    """Which `events` are not stored yet, and the last number of those that are.

    Asked when the server refuses: either an append is repeated whose answer was lost, or another writer is at work.
    """
    stored = await asyncio.gather(*(_stored_as(connection, event) for event in events))
    missing = [event for event, sequence in zip(events, stored, strict=True) if sequence is None]
    last = max((sequence for sequence in stored if sequence is not None), default=0)
    if why.code == _WRONG_LAST_SEQUENCE and not last:
        raise _fenced_off(events[0], str(why))
    if not last:
        raise FatalError(f"the bus takes events of {events[0].service} for duplicates of others: {why}")
    if fenced:
        known = [(event, number) for event, number in zip(events, stored, strict=True) if number is not None]
        await asyncio.gather(*(_check_own(connection, event, number) for event, number in known))
    return missing, last


async def _check_own(connection: Connection, event: Event, sequence: int) -> None:
    """FencedError when number `sequence` is another writer's word on the same matter.

    What two writers decide alike has the same identity, but not the same time: the bytes tell them apart.
    """
    found = await message_at(connection, EVENTS, sequence)
    if found is not None and found.payload != encode(event):
        raise _fenced_off(event, f"number {sequence} is its {event.type}")


def _fenced_off(event: Event, why: str) -> FencedError:
    writer = "guard" if event.service == "risk" else event.service
    return FencedError(f"another {writer} is at work in session {event.session_id}: {why}; stop one of them")


async def _stored_as(connection: Connection, event: Event) -> int | None:
    """The number under which `event` is stored, None when it is not.

    The server looks for the message's id before it looks at the expected last one; as no message has the id that is
    expected here, nothing is stored by asking.
    """
    probe = _identity(event) | {"Nats-Expected-Last-Msg-Id": "none"}
    try:
        answer = await connection.request(subject_of(event), b"", probe)
    except RefusedError as error:
        if error.code == _WRONG_LAST_ID:
            return None
        raise RetryableError(f"the bus refuses to tell what it stored: {error}") from None
    return int(answer["seq"])


def _identity(event: Event) -> Headers:
    return {"Nats-Msg-Id": event.id}


def _place(batch: str, number: int) -> Headers:
    return {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}


def _headers(fence: Fence | None) -> Headers:
    if fence is None:
        return {}
    return {
        "Nats-Expected-Last-Subject-Sequence": str(fence.after),
        "Nats-Expected-Last-Subject-Sequence-Subject": fence.subjects,
    }
