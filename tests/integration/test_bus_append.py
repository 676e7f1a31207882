"""Appending to a real server: each fact once, batches whole, one writer a session."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from deploy.embedded.nats_server import start_nats
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.errors import FatalError, FencedError
from shared.runtime.voice import Voice
from shared.schemas.envelope import Event
from shared.schemas.subjects import EVENTS, event_subject, session_subjects, writer_subjects
from tests.bus_facts import heartbeat, settings_for, told

LARGER_THAN_ANY_MESSAGE = 2_000_000


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    connected = await Bus.connect(settings_for(nats_url), "runner")
    await connected.ensure_streams()
    yield connected
    await connected.close()


@pytest.fixture
def session() -> str:
    return clock.new_id()


async def stored(bus: Bus, session: str) -> list[str]:
    return [delivery.headers["Nats-Msg-Id"] async for delivery in bus.read(EVENTS, [session_subjects(session)])]


def ids(events: Sequence[Event]) -> list[str]:
    return [event.id for event in events]


@pytest.mark.parametrize("atomic", [True, False])
async def test_stores_a_batch_in_order(bus: Bus, session: str, atomic: bool) -> None:
    events = [told(session, number) for number in range(7)]
    last = await bus.append(events, atomic=atomic)
    assert await stored(bus, session) == ids(events)
    assert last == await bus.last_sequence(EVENTS)


async def test_nothing_to_append_is_fine(bus: Bus) -> None:
    assert await bus.append([]) == 0


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("atomic", [True, False])
async def test_an_append_repeated_stores_nothing_twice(bus: Bus, session: str, count: int, atomic: bool) -> None:
    events = [told(session, number) for number in range(count)]
    first = await bus.append(events, atomic=atomic)
    assert await bus.append(events, atomic=atomic) == first
    assert await stored(bus, session) == ids(events)


@pytest.mark.parametrize("atomic", [True, False])
async def test_stores_only_what_is_missing(bus: Bus, session: str, atomic: bool) -> None:
    events = [told(session, number) for number in range(6)]
    await bus.append(events[:2])
    await bus.append([*events, events[3]], atomic=atomic)
    assert await stored(bus, session) == ids(events)


async def test_stores_more_than_one_batch_can_hold(bus: Bus, session: str) -> None:
    events = [told(session, number) for number in range(1003)]
    await bus.append(events, after=0)
    assert await stored(bus, session) == ids(events)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("atomic", [True, False])
async def test_a_writer_that_was_overtaken_is_fenced_off(bus: Bus, session: str, count: int, atomic: bool) -> None:
    overtaking = told(session)
    await bus.append([overtaking], after=0)
    with pytest.raises(FencedError, match="another runner"):
        await bus.append([told(session, number) for number in range(count)], after=0, atomic=atomic)
    assert await stored(bus, session) == [overtaking.id]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("atomic", [True, False])
async def test_a_fence_lets_the_repeated_append_of_its_own_writer_pass(
    bus: Bus, session: str, count: int, atomic: bool
) -> None:
    events = [told(session, number) for number in range(count)]
    first = await bus.append(events, after=0, atomic=atomic)
    assert await bus.append(events, after=0, atomic=atomic) == first
    await bus.append([told(session)], after=first, atomic=atomic)
    assert len(await stored(bus, session)) == count + 1


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("atomic", [True, False])
async def test_another_writer_that_decided_alike_is_fenced_off(
    bus: Bus, session: str, count: int, atomic: bool
) -> None:
    events = [told(session, number) for number in range(count)]
    later = [event.model_copy(update={"timestamp": clock.now()}) for event in events]
    first = await bus.append(events, after=0, atomic=atomic)
    for known in (0, first):
        with pytest.raises(FencedError, match="another runner"):
            await bus.append(later, after=known, atomic=atomic)
    assert await stored(bus, session) == ids(events)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("atomic", [True, False])
async def test_a_fence_may_stand_on_another_subject(bus: Bus, session: str, count: int, atomic: bool) -> None:
    elsewhere = clock.new_id()
    held = await bus.append([told(elsewhere)])
    on = session_subjects(elsewhere)
    events = [told(session, number) for number in range(count)]
    assert await bus.append(events, after=held, on=on, atomic=atomic) == held + count
    assert await bus.append(events, after=held, on=on, atomic=atomic) == held + count
    await bus.append([told(elsewhere)])
    with pytest.raises(FencedError):
        await bus.append([told(session)], after=held, on=on, atomic=atomic)
    assert await stored(bus, session) == ids(events)


async def test_another_service_does_not_move_the_fence(bus: Bus, session: str) -> None:
    first = await bus.append([told(session)], after=0)
    await bus.append([told(session, service="risk")])
    assert await bus.append([told(session), told(session)], after=first) > first


@pytest.mark.parametrize("count", [1, 2])
async def test_refuses_an_event_that_no_message_can_hold(bus: Bus, session: str, count: int) -> None:
    huge = told(session, where="x" * LARGER_THAN_ANY_MESSAGE)
    with pytest.raises(FatalError, match="more than the server takes"):
        await bus.append([huge] * 1 if count == 1 else [huge, told(session)])
    assert await stored(bus, session) == []


@pytest.mark.parametrize("atomic", [True, False])
async def test_a_killed_server_costs_nothing_and_stores_nothing_twice(tmp_path: Path, atomic: bool) -> None:
    server, session = start_nats(tmp_path), clock.new_id()
    bus = await Bus.connect(settings_for(server.url), "runner")
    await bus.ensure_streams()
    batches = [[told(session, number) for number in range(4)] for _ in range(30)]

    async def write() -> None:
        last = 0
        for batch in batches:
            last = await bus.append(batch, after=last, atomic=atomic)

    writing = asyncio.create_task(write())
    try:
        while await bus.last_sequence(EVENTS) < 20:
            assert not writing.done()
        server.kill()
        server = await asyncio.to_thread(server.again)
        await writing
        assert await stored(bus, session) == [event.id for batch in batches for event in batch]
    finally:
        await bus.close()
        server.stop()


async def test_what_is_said_while_the_server_is_killed_is_stored_once_and_in_order(tmp_path: Path) -> None:
    server, session = start_nats(tmp_path), clock.new_id()
    bus = await Bus.connect(settings_for(server.url), "runner")
    await bus.ensure_streams()
    voice, facts = Voice(bus, event_subject(session, "runner", "heartbeat")), [told(session, n) for n in range(4000)]
    claim = heartbeat(session)
    await voice.claim([claim], after=0, on=writer_subjects(session, "runner"))

    async def talk() -> None:
        for start in range(0, len(facts), 20):
            await voice.say(facts[start : start + 20])
            await asyncio.sleep(0)

    talking, keeping = asyncio.create_task(talk()), asyncio.create_task(voice.keep())
    try:
        while await bus.last_sequence(EVENTS) < 100:
            assert not talking.done()
        server.kill()
        server = await asyncio.to_thread(server.again)
        await talking
        assert await voice.settled() == await bus.last_sequence(EVENTS)
        assert await stored(bus, session) == [claim.id, *ids(facts)]
    finally:
        keeping.cancel()
        await bus.close()
        server.stop()
