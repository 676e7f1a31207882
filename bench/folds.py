"""Rebuilding folds from the stream, beside reading it with bare nats-py."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.bare import beside_bare, fastest, read_barely
from bench.figures import Figure, at_least_as_there
from deploy.embedded.nats_server import start_nats
from services.recorder.folding import Folding
from services.recorder.keeping import Keeping
from services.recorder.keeping import snapshots_of as recorders_snapshots
from services.risk.recovery import History, recall
from services.risk.service import GuardService
from services.risk.watch import Watch
from services.runner.sessions import recorded
from services.runner.sessions import snapshots_of as runners_snapshots
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.settings import Settings
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.subjects import ALL_EVENTS, EVENTS
from tests.bus_facts import settings_for
from tests.guard_story import unsigned
from tests.rehearsal import SESSION, candles_at, feed_of, rehearse, session

REBUILT_A_SECOND = 100_000


def measure(full: bool) -> list[Figure]:
    """Events a second into each service's fold."""
    told = unfinished_session(200_000 if full else 10_000)
    with tempfile.TemporaryDirectory() as folder, start_nats(Path(folder) / "nats") as server:
        return asyncio.run(_measured(settings_for(server.url, Path(folder)), told))


def unfinished_session(bars: int) -> Sequence[Event]:
    """An unfinished session of one symbol that trades every few hundred bars."""
    prices = [str(100 + (number // 40) % 7 + (number * 7919 % 13) / 100) for number in range(bars)]
    told = rehearse(session(strategies=[{"name": "ema_crossover"}]), feed_of(candles_at(prices))).events
    return [event for event in told if event.type not in ("runner_end", "phase_end")]


async def _measured(settings: Settings, told: Sequence[Event]) -> list[Figure]:
    bus = await Bus.connect(settings, "runner")
    try:
        await bus.ensure_streams()
        for start in range(0, len(told), 1000):
            await bus.append(told[start : start + 1000])
        return await _rebuilding(bus, settings, told)
    finally:
        await bus.close()


async def _rebuilding(bus: Bus, settings: Settings, told: Sequence[Event]) -> list[Figure]:
    folds = {
        "runner": lambda: runners_fold(bus, settings, told),
        "guard": lambda: _guards_fold(bus),
        "recorder": lambda: recorders_fold(bus, settings, told),
    }
    took = await fastest({"bare": lambda: read_barely(settings, len(told)), **folds})
    reference = beside_bare(len(told) / took["bare"])
    speeds = {f"rebuilding the {name}'s fold": len(told) / took[name] for name in folds}
    return [
        figure
        for name, speed in speeds.items()
        for figure in at_least_as_there(name, speed, "events/s", REBUILT_A_SECOND, reference)
    ]


async def runners_fold(bus: Bus, settings: Settings, told: Sequence[Event], last: int | None = None) -> None:
    """What a runner does that starts again; `last` is the number of the session's last fact, by default their count."""
    (start,) = (event for event in told if isinstance(event, RunnerStart))
    found = await recorded(bus, start, signed, runners_snapshots(bus, settings, SESSION))
    assert found.sequence == (last or len(told)), found.sequence


async def _guards_fold(bus: Bus) -> None:
    await guard_of(bus, await recall(bus)).recover()


async def recorders_fold(bus: Bus, settings: Settings, told: Sequence[Event], last: int | None = None) -> None:
    """What a recorder does that starts again, its files and tables being up to date."""
    last = last or len(told)
    start = await Keeping(recorders_snapshots(bus, settings)).recall(last)
    folding = Folding(bus, start.sequence, refused, start.state)
    await folding.recall(told[0].session_id)
    rest = [delivery async for delivery in bus.read(EVENTS, [ALL_EVENTS], start.sequence + 1)]
    if rest:
        await folding.batch(rest)
    assert folding.position == last, folding.position


async def refused(delivery: Delivery, reason: str) -> None:
    """What is told here can be read."""
    raise ValueError(f"number {delivery.sequence}: {reason}")


def guard_of(bus: Bus, history: History) -> GuardService:
    """A guard that goes on from `history`."""
    return GuardService(bus, Watch(bus), unsigned, None, history)


def signed(signed: bytes, signature: str) -> bool:
    """Signatures cost the same everywhere, and little of a fold."""
    return True
