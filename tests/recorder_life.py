"""Lives of a recorder on a bus in memory, with real files and tables in memory, until it is killed or told to stop."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from services.recorder import endings, intake, recording
from services.recorder.announcements import Announcer
from services.recorder.archive import Archive
from services.recorder.auditor import Auditor
from services.recorder.core import ledger
from services.recorder.core.ledger import Batch, Entry, Ledger
from services.recorder.endings import Endings
from services.recorder.folding import Folding
from services.recorder.keeping import Keeping, snapshots_of
from services.recorder.position import FilePosition, read_position
from services.recorder.rebuild import rebuild_files, stretches
from services.recorder.recording import Recorder
from services.recorder.session_files import SessionFiles
from shared.domain.summary import Summary
from shared.runtime import snapshots as keeping
from shared.runtime.delivery import Delivery
from shared.runtime.snapshots import Snapshots
from shared.schemas.subjects import ALL_EVENTS, EVENTS
from tests.audit_story import key
from tests.bus_facts import settings_for
from tests.memory_bus import MemoryBus

_WRITTEN = ("events.jsonl", "trades.csv", "summary.json")


class Killed(BaseException):
    """The process ends here, without a chance to tidy up."""


class DyingDisk:
    """Lets `steps` writes through; the one after that is torn, and everything ends."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def write(self, descriptor: int, content: memoryview) -> int:
        """Write, or die of it."""
        if self._steps == 0:
            os.write(descriptor, content[: len(content) // 2])
            raise Killed
        self._steps -= 1
        return os.write(descriptor, content)


@dataclass
class MemoryTables:
    """What PostgreSQL holds: whole batches, each beyond the position once."""

    sequence: int = 0
    entries: list[Entry] = field(default_factory=list)
    summaries: dict[str, Summary] = field(default_factory=dict)

    def write(self, batch: Batch) -> None:
        """Commit what `batch` holds beyond the position."""
        if batch.last <= self.sequence:
            return
        assert batch.after <= self.sequence, "a batch is missing"
        self.entries += [entry for entry in batch.entries if entry.sequence > self.sequence]
        self.summaries |= batch.summaries
        self.sequence = batch.last


class MemoryArchive:
    """The database as the recorder sees it; what was offered is committed `lag` batches later."""

    def __init__(self, tables: MemoryTables, lag: int) -> None:
        self.connected = True
        self.returned = asyncio.Event()
        self.returned.set()
        self._tables, self._lag = tables, lag
        self._waiting: list[Batch] = []

    @property
    def sequence(self) -> int:
        """The last number that is committed."""
        return self._tables.sequence

    @property
    def begun(self) -> bool:
        """Whether batches are accepted."""
        return not self.returned.is_set()

    def begin(self) -> int:
        """Accept batches from here on."""
        self.returned.clear()
        self._waiting.clear()
        return self._tables.sequence

    async def offer(self, batch: Batch) -> None:
        """Take a batch in, and commit an earlier one."""
        self._waiting.append(batch)
        while len(self._waiting) > self._lag:
            self._tables.write(self._waiting.pop(0))


class Lives:
    """One stream, one folder and one database, and the lives of recorders on them."""

    def __init__(self, folder: Path) -> None:
        self.memory = MemoryBus()
        self.tables = MemoryTables()
        self.settings = settings_for("nats://127.0.0.1:1", folder)
        self.root = folder / "sessions"

    @property
    def position(self) -> FilePosition:
        """Where the files stand."""
        found = read_position(self.root)
        assert found is not None
        return found

    @property
    def snapshots(self) -> Snapshots:
        """Where the recorders keep their folds."""
        return snapshots_of(self.memory.bus, self.settings)

    async def until_killed(self, writes: int, lag: int = 0) -> None:
        """Record until so many writes to files are done, or everything is; then die."""
        files = SessionFiles(self.root, DyingDisk(writes).write)
        with closing(files):
            archive = MemoryArchive(self.tables, lag)
            recorder = asyncio.create_task(self._recorder(files, archive).run(asyncio.Event()))
            await self._until(lambda: recorder.done() or files.sequence == self._end)
            recorder.cancel()
            try:
                await recorder
            except (Killed, asyncio.CancelledError):
                return

    async def to_the_end(self) -> None:
        """Record all that is stored, then stop in good order."""
        stopping, files, archive = asyncio.Event(), SessionFiles(self.root), MemoryArchive(self.tables, lag=0)
        with closing(files):
            recorder = asyncio.create_task(self._recorder(files, archive).run(stopping))
            await self._until(lambda: recorder.done() or archive.begun)
            await self._until(lambda: recorder.done() or files.sequence == self.tables.sequence == self._end)
            stopping.set()
            await recorder

    @property
    def _end(self) -> int:
        return len(self.memory.streams[EVENTS])

    async def _until(self, happened: Callable[[], bool]) -> None:
        while not happened():
            await asyncio.sleep(0.001)

    def _recorder(self, files: SessionFiles, archive: MemoryArchive) -> Recorder:
        bus = self.memory.bus
        announcer = Announcer(bus)
        auditor = Auditor(bus, files.chains, announcer, *key("recorder"))
        endings, keeping = Endings(files.root, announcer), Keeping(self.snapshots)
        return Recorder(bus, files, cast(Archive, archive), announcer, endings, auditor, keeping)


@contextmanager
def quick(stretch: int, every: int) -> Iterator[None]:
    """Small stretches and many snapshots, no waiting, and ids that are forgotten soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "EVERY_EVENTS", every)
        patch.setattr(keeping, "PAUSE_SECONDS", 0.0)
        patch.setattr(intake, "LARGEST_STRETCH", stretch)
        patch.setattr(intake, "LINGER_SECONDS", 0.0)
        patch.setattr(recording, "TICK_SECONDS", 0.005)
        patch.setattr(ledger, "REMEMBERED_IDS", 60)
        patch.setattr(endings, "write_report", lambda folder: folder)
        patch.setattr(asyncio, "to_thread", _at_once)
        yield


async def _at_once(function: Any, *given: Any) -> Any:
    """In place of a thread."""
    return function(*given)


async def _folded(lives: Lives) -> tuple[list[Entry], Ledger]:
    """All that the stream leads to, read from its start."""

    async def pass_over(delivery: Delivery, reason: str) -> None: ...

    folding, entries = Folding(lives.memory.bus, 0, pass_over), list[Entry]()
    async for stretch in stretches(lives.memory.bus, ALL_EVENTS, len(lives.memory.streams[EVENTS])):
        entries += (await folding.batch(stretch)).entries
    return entries, folding.ledger


def _contents(root: Path) -> dict[str, bytes]:
    return {
        f"{path.parent.name}/{path.name}": path.read_bytes() for name in _WRITTEN for path in root.glob(f"*/{name}")
    }


async def wrote_what_the_stream_says(lives: Lives) -> None:
    """Files and tables are as one makes them that reads the stream from its start."""
    aside = lives.root.with_name("aside")
    await rebuild_files(lives.memory.bus, aside, None)
    assert _contents(lives.root) == _contents(aside)
    entries, whole = await _folded(lives)
    assert lives.tables.entries == entries
    assert lives.tables.summaries == {session_id: whole.summary(session_id) for session_id in lives.tables.summaries}
