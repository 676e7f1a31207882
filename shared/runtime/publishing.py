"""Storing facts: each exactly once and batches as a whole, across lost answers and restarts of the server."""

from collections.abc import Iterator, Sequence
from typing import Any

import nats.errors

from shared.runtime import clock, metrics
from shared.runtime.connection import Connection, RefusedError
from shared.runtime.errors import FatalError, FencedError, RetryableError
from shared.schemas.codec import encode, subject_of
from shared.schemas.envelope import Event
from shared.schemas.subjects import writer_subjects

LARGEST_BATCH = 1000
"""So many messages the server takes in one atomic batch."""
_WRONG_LAST_ID = 10070
_WRONG_LAST_SEQUENCE = 10071
_DUPLICATE_IN_BATCH = 10201

Headers = dict[str, str]


async def append(connection: Connection, events: Sequence[Event], after: int | None = None) -> int:
    """Store `events` in order, those that are stored already excepted; answers the last one's number in the stream.

    Up to LARGEST_BATCH events are stored all or none. With `after`, the number of the last message that this writer
    is known to have stored for the session, FencedError when another one has written since.
    """
    last = 0
    for chunk in _chunks(tuple({event.id: event for event in events}.values())):
        last = max(last, await connection.persist(lambda chunk=chunk, after=after: _store(connection, chunk, after)))
        after = last if after is not None else None
    for event in events:
        metrics.count_published(event.type)
    return last


def _chunks(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    return (events[start : start + LARGEST_BATCH] for start in range(0, len(events), LARGEST_BATCH))


async def _store(connection: Connection, events: Sequence[Event], after: int | None) -> int:
    try:
        return await _publish(connection, events, after)
    except RefusedError as error:
        if error.code not in (_DUPLICATE_IN_BATCH, _WRONG_LAST_SEQUENCE):
            raise RetryableError(f"the bus refuses to store: {error}") from None
        return await _store_the_rest(connection, events, after, error)


async def _publish(connection: Connection, events: Sequence[Event], after: int | None) -> int:
    fence = _fence(events[0], after)
    if len(events) == 1:
        answer = await connection.request(subject_of(events[0]), encode(events[0]), _identity(events[0]) | fence)
    else:
        answer = await _publish_batch(connection, events, fence)
    return int(answer["seq"])


async def _publish_batch(connection: Connection, events: Sequence[Event], fence: Headers) -> dict[str, Any]:
    """Only the last message is answered; the server stores all when it comes, or none (ADR-50)."""
    batch, final = clock.new_id(), len(events)
    try:
        for number, event in enumerate(events[:-1], start=1):
            headers = _identity(event) | _place(batch, number) | (fence if number == 1 else {})
            await connection.client.publish(subject_of(event), encode(event), headers=headers)
    except nats.errors.MaxPayloadError:
        raise FatalError(f"an event of {len(encode(event))} bytes is more than the server takes") from None
    except nats.errors.Error as error:
        raise RetryableError(f"the bus is not there: {type(error).__name__}") from None
    headers = _identity(events[-1]) | _place(batch, final) | {"Nats-Batch-Commit": "1"}
    return await connection.request(subject_of(events[-1]), encode(events[-1]), headers)


async def _store_the_rest(connection: Connection, events: Sequence[Event], after: int | None, why: RefusedError) -> int:
    """What to do once the server knows some of the events, or another writer's: an append repeated, or a conflict."""
    stored = {event.id: await _stored_as(connection, event) for event in events}
    missing = [event for event in events if stored[event.id] is None]
    last = max((sequence for sequence in stored.values() if sequence is not None), default=0)
    if not missing:
        return last
    if why.code == _WRONG_LAST_SEQUENCE and not last:
        raise FencedError(f"another {events[0].service} writes session {events[0].session_id}: {why}; stop one of them")
    if not last:
        raise FatalError(f"the bus takes events of {events[0].service} for duplicates of others: {why}")
    return await _publish(connection, missing, last if after is not None else None)


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


def _fence(event: Event, after: int | None) -> Headers:
    if after is None:
        return {}
    return {
        "Nats-Expected-Last-Subject-Sequence": str(after),
        "Nats-Expected-Last-Subject-Sequence-Subject": writer_subjects(event.session_id, event.service),
    }
