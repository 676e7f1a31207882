"""Rebuilding folds from the stream, beside reading it with bare nats-py, and going on from a snapshot."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import nats

from bench.figures import Figure, at_least, at_most, beside
from deploy.embedded.nats_server import start_nats
from services.recorder.folding import Folding
from services.recorder.keeping import Keeping
from services.recorder.keeping import snapshots_of as recorders_snapshots
from services.risk.recovery import History, recall, recall_since
from services.risk.running import snapshots_of as guards_snapshots
from services.risk.service import GuardService
from services.risk.watch import Watch
from services.runner.core.plan import plan
from services.runner.kept import Kept, fields_of
from services.runner.recollection import Recollection
from services.runner.sessions import recorded
from services.runner.sessions import snapshots_of as runners_snapshots
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.settings import Settings
from shared.runtime.snapshots import Snapshot
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.subjects import ALL_EVENTS, EVENTS
from tests.bus_facts import settings_for
from tests.guard_story import unsigned
from tests.rehearsal import SESSION, candles_at, feed_of, rehearse, session

REBUILT_A_SECOND = 100_000
RESTARTED_WITHIN_SECONDS = 1.0
_TAIL = 2_000
"""So many events lie behind the snapshot, the last ones of the session."""


def measure(full: bool) -> list[Figure]:
    """Events a second into each service's fold, and how long it takes to go on from a snapshot."""
    told = _session(200_000 if full else 10_000)
    with tempfile.TemporaryDirectory() as folder, start_nats(Path(folder) / "nats") as server:
        return asyncio.run(_measured(settings_for(server.url, Path(folder)), told))


def _session(bars: int) -> Sequence[Event]:
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
        return [*await _rebuilding(bus, settings, told), *await _restarting(bus, settings, told)]
    finally:
        await bus.close()


async def _rebuilding(bus: Bus, settings: Settings, told: Sequence[Event]) -> list[Figure]:
    begin = await _timed(lambda: _read_barely(settings, len(told)))
    runner = await _timed(lambda: _runners_fold(bus, settings, told))
    guard = await _timed(lambda: _guards_fold(bus))
    recorder = await _timed(lambda: _recorders_fold(bus, settings, told))
    bare = (begin + await _timed(lambda: _read_barely(settings, len(told)))) / 2
    raw = len(told) / bare
    return [
        at_least("rebuilding the runner's fold", len(told) / runner, "events/s", REBUILT_A_SECOND),
        beside("rebuilding the runner's fold", len(told) / runner, "events/s", "bare nats-py", raw),
        at_least("rebuilding the guard's fold", len(told) / guard, "events/s", REBUILT_A_SECOND),
        beside("rebuilding the guard's fold", len(told) / guard, "events/s", "bare nats-py", raw),
        at_least("rebuilding the recorder's fold", len(told) / recorder, "events/s", REBUILT_A_SECOND),
        beside("rebuilding the recorder's fold", len(told) / recorder, "events/s", "bare nats-py", raw),
    ]


async def _restarting(bus: Bus, settings: Settings, told: Sequence[Event]) -> list[Figure]:
    await _keep(bus, settings, told, len(told) - _TAIL)
    runner = await _timed(lambda: _runners_fold(bus, settings, told))
    guard = await _timed(lambda: _guards_restart(bus, settings))
    recorder = await _timed(lambda: _recorders_fold(bus, settings, told))
    size = f"{_TAIL:,} events behind its snapshot, of {len(told):,}"
    return [
        at_most(f"runner's restart, {size}", runner, "s", RESTARTED_WITHIN_SECONDS),
        at_most(f"guard's restart, {size}", guard, "s", RESTARTED_WITHIN_SECONDS),
        at_most(f"recorder's restart, {size}", recorder, "s", RESTARTED_WITHIN_SECONDS),
    ]


async def _keep(bus: Bus, settings: Settings, told: Sequence[Event], until: int) -> None:
    """Snapshots of all folds after so many events."""
    (start,) = (event for event in told if isinstance(event, RunnerStart))
    recollection = Recollection(plan(SESSION, start.details.config), _signed)
    guard = _guard(bus, await recall(bus))
    recorder = Folding(bus, 0, _refused)
    async for delivery in bus.read(EVENTS, [ALL_EVENTS]):
        if delivery.sequence > until:
            break
        recollection.take(delivery)
        await guard.on_event(delivery)
        await recorder.batch([delivery])
    found = recollection.result()
    kept = Kept(
        fields_of(found.state), found.book, found.clock, found.own_sequence, found.sequence, *found.once.packed()
    )
    await runners_snapshots(bus, settings, SESSION).keep(Snapshot(found.own_sequence, kept))
    await guards_snapshots(bus, settings).keep(await guard.snapshot())
    await recorders_snapshots(bus, settings).keep(Snapshot(recorder.position, recorder.ledger.kept()))


async def _read_barely(settings: Settings, count: int) -> None:
    """All messages by a push consumer of nats-py, counted and dropped."""
    client, seen, done = await nats.connect(settings.nats_url), 0, asyncio.Event()

    async def take(message: object) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            done.set()

    await client.jetstream().subscribe(ALL_EVENTS, stream=EVENTS, cb=take, ordered_consumer=True)
    await done.wait()
    await client.close()


async def _runners_fold(bus: Bus, settings: Settings, told: Sequence[Event]) -> None:
    (start,) = (event for event in told if isinstance(event, RunnerStart))
    found = await recorded(bus, start, _signed, runners_snapshots(bus, settings, SESSION))
    assert found.sequence == len(told), found.sequence


async def _guards_fold(bus: Bus) -> None:
    await _guard(bus, await recall(bus)).recover()


async def _guards_restart(bus: Bus, settings: Settings) -> None:
    snapshot = await guards_snapshots(bus, settings).load()
    assert snapshot is not None
    await _guard(bus, await recall_since(bus, snapshot.state)).recover()


async def _recorders_fold(bus: Bus, settings: Settings, told: Sequence[Event]) -> None:
    """What a recorder does that starts again, its files and tables being up to date."""
    start = await Keeping(recorders_snapshots(bus, settings)).recall(len(told))
    folding = Folding(bus, start.sequence, _refused, start.state)
    await folding.recall(told[0].session_id)
    rest = [delivery async for delivery in bus.read(EVENTS, [ALL_EVENTS], start.sequence + 1)]
    if rest:
        await folding.batch(rest)
    assert folding.position == len(told), folding.position


async def _refused(delivery: Delivery, reason: str) -> None:
    raise ValueError(f"number {delivery.sequence}: {reason}")


def _guard(bus: Bus, history: History) -> GuardService:
    return GuardService(bus, Watch(bus), unsigned, None, history)


def _signed(signed: bytes, signature: str) -> bool:
    """Signatures cost the same everywhere, and little of a fold."""
    return True


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began
