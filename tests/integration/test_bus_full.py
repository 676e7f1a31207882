"""A store without room: what can't be stored is said to be so, and nothing that was stored is lost."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.embedded.nats_server import start_nats
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.connection import Connection
from shared.runtime.errors import RetryableError
from shared.runtime.streams import STREAMS
from shared.schemas.envelope import Event
from shared.schemas.subjects import EVENTS, STREAM_SUBJECTS, session_subjects
from tests.bus_facts import settings_for, told

ROOM = 3_000_000


async def stored(bus: Bus, session: str) -> list[str]:
    return [delivery.headers["Nats-Msg-Id"] async for delivery in bus.read(EVENTS, [session_subjects(session)])]


def ids(events: Sequence[Event]) -> list[str]:
    return [event.id for event in events]


async def until_full(bus: Bus, session: str) -> tuple[list[str], list[Event], RetryableError]:
    """The ids that were stored, the first batch that was not, and why not."""
    kept: list[str] = []
    for _ in range(100):
        batch: list[Event] = [told(session, number, where="x" * 5000) for number in range(20)]
        try:
            await bus.append(batch)
        except RetryableError as error:
            return kept, batch, error
        kept += ids(batch)
    pytest.fail("the store never filled up")


async def test_a_full_store_keeps_what_it_took_in_order_and_takes_the_rest_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection.persist, "__defaults__", (0.5,))
    session = clock.new_id()
    with start_nats(tmp_path / "nats", room=ROOM) as server:
        bus = await Bus.connect(settings_for(server.url), "runner")
        wanted = {"name": EVENTS, "subjects": list(STREAM_SUBJECTS[EVENTS]), **STREAMS[EVENTS]}
        await bus.connection.api(f"STREAM.CREATE.{EVENTS}", wanted)
        kept, batch, why = await until_full(bus, session)
        assert "gave up" in str(why)
        # The server gives no answer when it runs out of room amid a batch, and keeps what it had room for.
        found = await stored(bus, session)
        assert found == (kept + ids(batch))[: len(found)]
        assert len(found) >= len(kept)
        assert kept
        await bus.close()
    with start_nats(tmp_path / "nats") as roomy:
        bus = await Bus.connect(settings_for(roomy.url), "runner")
        await bus.append(batch)
        assert await stored(bus, session) == kept + ids(batch)
        await bus.close()
