"""How long a service takes to go on from its snapshot in a long stream."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench.bare import timed
from bench.figures import Figure, at_most
from bench.folds import guard_of, recorders_fold, refused, runners_fold, signed, unfinished_session
from deploy.embedded.nats_server import start_nats
from services.recorder.folding import Folding
from services.recorder.keeping import snapshots_of as recorders_snapshots
from services.risk.recovery import recall, recall_since
from services.risk.running import snapshots_of as guards_snapshots
from services.runner.core.plan import plan
from services.runner.kept import Kept, fields_of
from services.runner.recollection import Recollection
from services.runner.sessions import snapshots_of as runners_snapshots
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from shared.runtime.snapshots import Snapshot
from shared.schemas.codec import encode
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.subjects import ALL_EVENTS, EVENTS, event_subject
from tests.bus_facts import settings_for
from tests.rehearsal import SESSION

RESTARTED_WITHIN_SECONDS = 1.0
_TAIL = 2_000
"""So many events lie behind the snapshot, the last ones of the session."""
_BEFORE = 10_000_000
"""So many facts of another session lie before it at full size."""
_OTHER = "00000000-0000-4000-8000-000000000001"
_AT_ONCE = 5_000
"""The server drops what it is sent without waiting beyond twice as much."""


def measure(full: bool) -> list[Figure]:
    """Seconds from a snapshot to the stream's end."""
    told = unfinished_session(10_000)
    with tempfile.TemporaryDirectory() as folder, start_nats(Path(folder) / "nats") as server:
        return asyncio.run(_measured(settings_for(server.url, Path(folder)), told, _BEFORE if full else 0))


async def _measured(settings: Settings, told: Sequence[Event], before: int) -> list[Figure]:
    bus = await Bus.connect(settings, "runner")
    try:
        await bus.ensure_streams()
        await _fill(bus, settings, told[-1], before)
        for start in range(0, len(told), 1000):
            await bus.append(told[start : start + 1000])
        return await _restarting(bus, settings, told, before)
    finally:
        await bus.close()


async def _fill(bus: Bus, settings: Settings, fact: Event, count: int) -> None:
    """Store `fact` so many times under another session, straight from a socket: a client would take an hour."""
    if not count:
        return
    address = urlsplit(settings.nats_url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    payload = encode(fact.model_copy(update={"session_id": _OTHER}))
    subject = event_subject(_OTHER, fact.service, fact.type)
    frame = b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(payload), payload)
    writer.write(b'CONNECT {"verbose":false}\r\n')
    for stored in range(_AT_ONCE, count + 1, _AT_ONCE):
        writer.write(frame * _AT_ONCE)
        await writer.drain()
        while await bus.last_sequence(EVENTS) < stored:
            await asyncio.sleep(0.005)
    writer.close()


async def _restarting(bus: Bus, settings: Settings, told: Sequence[Event], before: int) -> list[Figure]:
    last = before + len(told)
    await _keep(bus, settings, told, range(before + 1, last - _TAIL + 1))
    runner = await timed(lambda: runners_fold(bus, settings, told, last))
    guard = await timed(lambda: _guards_restart(bus, settings))
    recorder = await timed(lambda: recorders_fold(bus, settings, told, last))
    size = f"{_TAIL:,} events behind its snapshot, of {last:,}"
    return [
        at_most(f"runner's restart, {size}", runner, "s", RESTARTED_WITHIN_SECONDS),
        at_most(f"guard's restart, {size}", guard, "s", RESTARTED_WITHIN_SECONDS),
        at_most(f"recorder's restart, {size}", recorder, "s", RESTARTED_WITHIN_SECONDS),
    ]


async def _keep(bus: Bus, settings: Settings, told: Sequence[Event], numbers: range) -> None:
    """Snapshots of all folds after the facts of these numbers."""
    (start,) = (event for event in told if isinstance(event, RunnerStart))
    recollection = Recollection(plan(SESSION, start.details.config), signed)
    guard = guard_of(bus, await recall(bus))
    recorder = Folding(bus, numbers.start - 1, refused)
    async for delivery in bus.read(EVENTS, [ALL_EVENTS], numbers.start):
        if delivery.sequence >= numbers.stop:
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


async def _guards_restart(bus: Bus, settings: Settings) -> None:
    snapshot = await guards_snapshots(bus, settings).load()
    assert snapshot is not None
    await guard_of(bus, await recall_since(bus, snapshot.state)).recover()
