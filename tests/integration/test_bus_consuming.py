"""Reading and following on a real server: in order, whole, bounded, and on again after every outage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from deploy.embedded.nats_server import start_nats
from shared.runtime import clock
from shared.runtime.bus import Bus, Delivery
from shared.runtime.connection import RefusedError
from shared.runtime.errors import FatalError
from shared.runtime.inlet import Inlet
from shared.schemas.codec import decode
from shared.schemas.subjects import (
    ALL_EVENTS,
    CONTROL,
    DEADLETTER,
    EVENTS,
    every_session,
    session_subjects,
    writer_subjects,
)
from tests.bus_facts import settings_for, told


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    connected = await Bus.connect(settings_for(nats_url), "recorder")
    await connected.ensure_streams()
    yield connected
    await connected.close()


@pytest.fixture
def session() -> str:
    return clock.new_id()


async def take(bus: Bus, subjects: list[str], start: int, count: int) -> list[Delivery]:
    taken: list[Delivery] = []
    async with asyncio.timeout(60), aclosing(bus.follow(EVENTS, subjects, start)) as deliveries:
        async for delivery in deliveries:
            taken.append(delivery)
            if len(taken) == count:
                break
    return taken


async def test_reads_what_is_stored_and_ends(bus: Bus, session: str) -> None:
    events = [told(session, number) for number in range(2500)]
    last = await bus.append(events)
    found = [delivery async for delivery in bus.read(EVENTS, [session_subjects(session)])]
    assert [decode(delivery.subject, delivery.payload) for delivery in found] == events
    assert [delivery.sequence for delivery in found] == list(range(last - 2499, last + 1))


async def test_reading_starts_where_it_is_told_to(bus: Bus, session: str) -> None:
    last = await bus.append([told(session, number) for number in range(5)])
    found = [delivery.sequence async for delivery in bus.read(EVENTS, [session_subjects(session)], last - 1)]
    assert found == [last - 1, last]
    assert [delivery async for delivery in bus.read(EVENTS, [session_subjects(session)], last + 1)] == []


async def test_reading_ends_when_nothing_matches(bus: Bus, session: str) -> None:
    await bus.append([told(session)])
    assert [delivery async for delivery in bus.read(EVENTS, [session_subjects(clock.new_id())])] == []


async def test_several_subjects_come_in_the_order_they_were_stored(bus: Bus, session: str) -> None:
    events = [told(session, number, service) for number in range(50) for service in ("runner", "risk", "notifier")]
    await bus.append(events)
    wanted = [writer_subjects(session, "risk"), writer_subjects(session, "runner")]
    found = [delivery.headers["Nats-Msg-Id"] async for delivery in bus.read(EVENTS, wanted)]
    assert found == [event.id for event in events if event.service != "notifier"]


async def test_follows_what_is_stored_and_what_comes(bus: Bus, session: str) -> None:
    early, late = [told(session) for _ in range(3)], [told(session) for _ in range(3)]
    await bus.append(early)
    following = asyncio.create_task(take(bus, [session_subjects(session)], 1, 6))
    await bus.append(late)
    assert [delivery.headers["Nats-Msg-Id"] for delivery in await following] == [fact.id for fact in early + late]


async def test_tells_when_the_server_stored_it(bus: Bus, session: str) -> None:
    before = clock.now()
    await bus.append([told(session)])
    (delivery,) = await take(bus, [session_subjects(session)], 1, 1)
    assert before <= delivery.stored_at <= clock.now()


async def test_a_slow_reader_loses_nothing_and_holds_no_more_than_the_window(bus: Bus, session: str) -> None:
    await bus.append([told(session, number) for number in range(2500)])
    inlet, most, count = Inlet(bus.connection), 0, 0
    await inlet.open(EVENTS, [session_subjects(session)], {"deliver_policy": "all"})
    try:
        while count < 2500:
            count += len(await inlet.take())
            await bus.last_sequence(EVENTS)
            most = max(most, inlet.waiting)
    finally:
        await inlet.close()
    assert 0 < most <= 1000


async def test_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    server, session = start_nats(tmp_path), clock.new_id()
    bus = await Bus.connect(settings_for(server.url), "recorder")
    await bus.ensure_streams()
    events = [told(session, number) for number in range(40)]
    following = asyncio.create_task(take(bus, [session_subjects(session)], 1, 40))
    try:
        await bus.append(events[:20])
        server.kill()
        server = await asyncio.to_thread(server.again)
        await bus.append(events[20:])
        assert [delivery.headers["Nats-Msg-Id"] for delivery in await following] == [event.id for event in events]
    finally:
        await bus.close()
        server.stop()


async def test_a_server_that_lost_what_was_read_is_fatal(bus: Bus, session: str) -> None:
    last = await bus.append([told(session)])
    with pytest.raises(FatalError, match="lost messages"):
        await take(bus, [session_subjects(session)], last + 1000, 1)


async def test_a_server_that_tells_another_history_after_a_restart_is_fatal(tmp_path: Path) -> None:
    server, session = start_nats(tmp_path / "first"), clock.new_id()
    bus = await Bus.connect(settings_for(server.url), "recorder")
    await bus.ensure_streams()
    await bus.append([told(session, number) for number in range(5)])
    deliveries = bus.follow(EVENTS, [ALL_EVENTS], 1)
    for _ in range(5):
        await anext(deliveries)
    server.kill()
    server = await asyncio.to_thread(start_nats, tmp_path / "second", server.port)
    other = await Bus.connect(settings_for(server.url), "runner")
    try:
        await other.ensure_streams()
        await other.append([told(session, number) for number in range(7)])
        with pytest.raises(FatalError, match=r"number 5 is not what had been read|ends at \d, but 5 had been read"):
            await anext(deliveries)
    finally:
        await bus.close()
        await other.close()
        server.stop()


async def test_a_message_that_is_gone_is_noticed_by_who_reads_everything_and_fatal(tmp_path: Path) -> None:
    with start_nats(tmp_path) as server:
        bus, session = await Bus.connect(settings_for(server.url), "recorder"), clock.new_id()
        await bus.connection.api("STREAM.CREATE.EVENTS", {"name": "EVENTS", "subjects": [ALL_EVENTS]})
        await bus.append([told(session, number) for number in range(6)], atomic=False)
        await bus.connection.api("STREAM.MSG.DELETE.EVENTS", {"seq": 3})
        with pytest.raises(FatalError, match="number 3 was to come next, but 4 came"):
            await take(bus, [ALL_EVENTS], 1, 5)
        with pytest.raises(FatalError, match="number 3 was to come next, but 4 came"):
            [delivery async for delivery in bus.read(EVENTS, [ALL_EVENTS])]
        await bus.connection.api("STREAM.MSG.DELETE.EVENTS", {"seq": 6})
        with pytest.raises(FatalError, match="nothing comes from number 6 to 6"):
            [delivery async for delivery in bus.read(EVENTS, [ALL_EVENTS], 4)]
        await bus.close()


async def test_reading_a_stream_that_is_not_there_is_fatal(bus: Bus) -> None:
    with pytest.raises(FatalError, match="NOWHERE"):
        await anext(bus.read("NOWHERE", ["x"]))


async def test_the_latest_message_of_each_subject(bus: Bus, session: str) -> None:
    other = clock.new_id()
    await bus.append([told(session, 1), told(session, 2), told(session, 3, "risk"), told(other, 4)])
    found = await bus.latest(EVENTS, [session_subjects(session), session_subjects(other)])
    assert [decode(delivery.subject, delivery.payload).error for delivery in found] == [
        "number 2",
        "number 3",
        "number 4",
    ]
    assert await bus.latest(EVENTS, [session_subjects(clock.new_id())]) == []
    assert any(delivery.subject.startswith("events.") for delivery in await bus.latest(EVENTS, ["events.>"]))
    assert await bus.latest(EVENTS, [every_session("recorder", "heartbeat")]) == []


async def test_a_command_is_stored_with_a_receipt(bus: Bus, session: str) -> None:
    sequence = await bus.command("kill", session, b"fat finger")
    (found,) = await bus.latest(CONTROL, [f"control.kill.{session}"])
    assert (found.sequence, found.payload) == (sequence, b"fat finger")


async def test_a_dead_letter_keeps_subject_bytes_and_reason_and_comes_once(bus: Bus, session: str) -> None:
    subject = f"events.{session}.runner.nonsense"
    await bus.connection.request(subject, b"\xff\x00")
    (poison,) = await bus.latest(EVENTS, [subject])
    for _ in range(2):
        await bus.deadletter("recorder", poison, "unknown event type 'nonsense'\nsecond line")
    letters = [
        letter
        async for letter in bus.read(DEADLETTER, ["deadletter.recorder"])
        if letter.headers["Leitstand-Subject"] == subject
    ]
    (letter,) = letters
    assert letter.payload == b"\xff\x00"
    assert letter.headers["Leitstand-Reason"].startswith("unknown event type 'nonsense'")
    assert letter.headers["Leitstand-Sequence"] == str(poison.sequence)


async def test_the_truth_can_be_neither_deleted_nor_purged(bus: Bus, session: str) -> None:
    sequence = await bus.append([told(session)])
    for operation, body in (("PURGE.EVENTS", {}), ("MSG.DELETE.EVENTS", {"seq": sequence})):
        with pytest.raises(RefusedError, match="not permitted"):
            await bus.connection.api(f"STREAM.{operation}", body)


async def test_making_the_streams_again_changes_nothing(bus: Bus) -> None:
    before = [await bus.connection.api(f"STREAM.INFO.{name}") for name in (EVENTS, CONTROL, DEADLETTER)]
    await bus.ensure_streams()
    after = [await bus.connection.api(f"STREAM.INFO.{name}") for name in (EVENTS, CONTROL, DEADLETTER)]
    assert [one["config"] for one in before] == [one["config"] for one in after]


async def test_brings_a_stream_of_an_older_shape_up_to_date(tmp_path: Path) -> None:
    with start_nats(tmp_path) as server:
        bus = await Bus.connect(settings_for(server.url), "recorder")
        await bus.connection.api(
            "STREAM.CREATE.EVENTS", {"name": "EVENTS", "subjects": ["events.*.*.*"], "storage": "file", "max_msgs": 9}
        )
        await bus.ensure_streams()
        config = (await bus.connection.api("STREAM.INFO.EVENTS"))["config"]
        assert (config["max_msgs"], config["allow_atomic"], config["deny_purge"]) == (-1, True, True)
        await bus.close()
