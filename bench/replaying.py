"""Deciding a recorded session again from the stream, beside reading it with bare nats-py."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.bare import beside_bare, fastest, read_barely
from bench.figures import Figure, at_least_as_there
from deploy.embedded.nats_server import start_nats
from services.runner.replay.session import Replay
from services.runner.replay.sources import StreamSource, in_stream
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from shared.schemas.envelope import Event
from tests.bus_facts import settings_for
from tests.rehearsal import candles_at, feed_of, rehearse, session

TARGET = 50_000


def measure(full: bool) -> list[Figure]:
    """Events a second for a session of one symbol that trades every few bars."""
    walk = [str(100 + (number * 7919 % 13)) for number in range(20_000 if full else 3_000)]
    told = rehearse(session(strategies=[{"name": "ema_crossover"}]), feed_of(candles_at(walk))).events
    with tempfile.TemporaryDirectory() as folder, start_nats(Path(folder) / "nats") as server:
        return asyncio.run(_measured(settings_for(server.url, Path(folder)), told))


async def _measured(settings: Settings, told: Sequence[Event]) -> list[Figure]:
    bus = await Bus.connect(settings, "runner")
    try:
        await bus.ensure_streams()
        for start in range(0, len(told), 1000):
            await bus.append(told[start : start + 1000])
        (source,) = await in_stream(bus, "")
        took = await fastest({"bare": lambda: read_barely(settings, len(told)), "replay": lambda: _replayed(source)})
    finally:
        await bus.close()
    reference = beside_bare(len(told) / took["bare"])
    speed = len(told) / took["replay"]
    return [*at_least_as_there("replay of a recorded session", speed, "events/s", TARGET, reference)]


async def _replayed(source: StreamSource) -> None:
    replay = Replay(source.start, await source.words())
    async for stretch in source.events():
        for event in stretch:
            replay.take(event)
    difference = replay.finish()
    assert difference is None, difference
