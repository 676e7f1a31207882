"""The recorder's loop: follow the stream, write files and database, show figures, report what has ended."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from services.recorder import gauges
from services.recorder.announcements import SERVICE, Announcer
from services.recorder.archive import Archive
from services.recorder.auditor import Auditor
from services.recorder.core.ledger import Batch, Entry
from services.recorder.endings import Endings
from services.recorder.folding import Folding
from services.recorder.intake import Intake
from services.recorder.keeping import Keeping
from services.recorder.session_files import SUMMARY_FILE, SessionFiles
from shared.domain.summary import Summary
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError, RetryableError
from shared.runtime.patience import set_within
from shared.schemas.identity import Cause
from shared.schemas.lifecycle import PhaseEnd, RunnerEnd
from shared.schemas.subjects import ALL_EVENTS, EVENTS

TICK_SECONDS = 0.25
SUMMARY_SECONDS = 0.3
LAG_SECONDS = 2.0
IDLE_SECONDS = 60.0
FIRST_CONNECTION_SECONDS = 5.0
PARTING_SECONDS = 5.0
_ENDINGS = frozenset({PhaseEnd, RunnerEnd})


class Recorder:
    """Reads from the last snapshot on, or from where the sink stands that is furthest behind.

    Each sink passes over what it has.
    """

    def __init__(
        self,
        bus: Bus,
        files: SessionFiles,
        archive: Archive | None,
        announcer: Announcer,
        endings: Endings,
        auditor: Auditor,
        keeping: Keeping,
    ) -> None:
        self._bus, self._files, self._archive, self._keeping = bus, files, archive, keeping
        self._announcer, self._endings, self._auditor = announcer, endings, auditor
        self._shown = gauges.SessionGauges()
        self._changed: dict[str, Summary] = {}
        self._touched: dict[str, float] = {}
        self._summaries_due_at = self._lag_due_at = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Record until `stopping`, then what is stored by then."""
        await self._endings.take_up(self._bus)
        await self._await_archive()
        while not stopping.is_set():
            await self._read_on(stopping)

    async def _start(self) -> int:
        """The position of the sink that is furthest behind; FatalError when one is ahead of the stream."""
        stored = await self._bus.last_sequence(EVENTS)
        position = self._archive.begin() if self._archive else None
        _check_reach(str(self._files.root), self._files.sequence, stored)
        _check_reach("the database", position or 0, stored)
        return self._files.sequence if position is None else min(self._files.sequence, position)

    async def _await_archive(self) -> None:
        """Give the database a moment, so that a healthy start reads the stream only once."""
        if self._archive is not None:
            await set_within(self._archive.returned, FIRST_CONNECTION_SECONDS)

    async def _read_on(self, stopping: asyncio.Event) -> None:
        """Read from the furthest behind on, until told to stop or the database is back."""
        start = await self._keeping.recall(await self._start())
        folding = Folding(self._bus, start.sequence, self._reject, start.state)
        await self._take_up(folding)
        async with Intake(self._bus.follow_in_stretches(EVENTS, [ALL_EVENTS], start.sequence + 1)) as intake:
            while not stopping.is_set() and not self._archive_returned():
                await self._turn(intake, folding)
            if stopping.is_set():
                await self._finish(intake, folding)

    def _archive_returned(self) -> bool:
        return self._archive is not None and self._archive.returned.is_set()

    async def _take_up(self, folding: Folding) -> None:
        """Recall the sessions whose summary may lag behind their events."""
        self._touched = dict.fromkeys(self._files.open_sessions, clock.monotonic())
        for session_id in self._touched:
            await folding.recall(session_id)
            self._changed[session_id] = summary = folding.ledger.summary(session_id)
            self._auditor.note(session_id, summary.ended_at is not None)
        self._write_summaries(folding.position)

    async def _turn(self, intake: Intake, folding: Folding) -> None:
        stretch = await intake.stretch(TICK_SECONDS)
        if stretch:
            await self._write(await folding.batch(stretch))
        now = clock.monotonic()
        if now >= self._summaries_due_at:
            self._write_summaries(folding.position)
            self._summaries_due_at = now + SUMMARY_SECONDS
            self._release_idle(folding, now - IDLE_SECONDS)
        if now >= self._lag_due_at:
            await self._show_lag()
            self._lag_due_at = now + LAG_SECONDS
        await self._endings.settle(self._files.sequence, self._in_database)
        await self._auditor.settle()
        self._keeping.consider(folding.position, folding.ledger, self._secured)

    async def _write(self, batch: Batch) -> None:
        fresh = [entry for entry in batch.entries if entry.sequence > self._files.sequence]
        self._files.write(batch)
        self._changed |= batch.summaries
        self._touched |= dict.fromkeys(batch.summaries, clock.monotonic())
        for session_id, summary in batch.summaries.items():
            self._auditor.note(session_id, summary.ended_at is not None)
        gauges.RECORDED.inc(len(fresh))
        self._shown.count(fresh, batch.summaries)
        if self._archive is not None:
            await self._archive.offer(batch)
        await self._tell(fresh, batch.last)

    async def _reject(self, delivery: Delivery, reason: str) -> None:
        """Put aside what is no event, once: it is in neither sink, so the files' position tells whether it is news."""
        if delivery.sequence > self._files.sequence:
            await self._bus.deadletter(SERVICE, delivery, reason)

    async def _tell(self, fresh: Iterable[Entry], position: int) -> None:
        """Tell of the summary at the end of phases and of the session, and note that a report is due."""
        for entry in fresh:
            sequence, event = entry.sequence, entry.event
            if type(event) in _ENDINGS:
                self._write_summaries(position)
                await self._announcer.summary_updated(event, f"sessions/{event.session_id}/{SUMMARY_FILE}")
            if isinstance(event, RunnerEnd):
                self._endings.add(Cause.of(event, clock.now()), sequence)

    def _write_summaries(self, position: int) -> None:
        """Write changed summaries; while the database catches up on older facts, the files' figures stand."""
        if position >= self._files.sequence:
            for summary in self._changed.values():
                self._files.write_summary(summary)
                self._shown.show(summary)
            self._changed.clear()

    def _release_idle(self, folding: Folding, since: float) -> None:
        for session_id, touched in tuple(self._touched.items()):
            if touched < since and not self._auditor.awaits(session_id):
                del self._touched[session_id]
                ended = folding.ledger.summary(session_id).ended_at is not None
                self._files.release(session_id, ended)
                if ended:
                    folding.ledger.forget(session_id)

    @property
    def _in_database(self) -> int:
        return self._files.sequence if self._archive is None else self._archive.sequence

    @property
    def _secured(self) -> int:
        return min(self._files.sequence, self._in_database)

    async def _show_lag(self) -> None:
        # Without the bus nobody knows the lag; it being away is told elsewhere.
        with suppress(RetryableError):
            stored = await self._bus.last_sequence(EVENTS)
            gauges.LAG.labels("files").set(stored - self._files.sequence)
            if self._archive is not None:
                gauges.LAG.labels("database").set(stored - self._archive.sequence)
                gauges.DATABASE_CONNECTED.set(self._archive.connected)

    async def _finish(self, intake: Intake, folding: Folding) -> None:
        """Write what is stored by now, the recorder's own last words included, as far as a few seconds allow."""
        deadline = clock.monotonic() + PARTING_SECONDS
        await self._catch_up(intake, folding, deadline)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(deadline - clock.monotonic(), 0)):
                await self._auditor.settle(all_of_them=True)
        await self._catch_up(intake, folding, deadline)
        self._write_summaries(folding.position)
        if self._bus.connected:
            with suppress(TimeoutError):
                async with asyncio.timeout(PARTING_SECONDS):
                    await self._keeping.finish(folding.position, folding.ledger, self._secured)

    async def _catch_up(self, intake: Intake, folding: Folding, deadline: float) -> None:
        end = await self._bus.last_sequence(EVENTS) if self._bus.connected else 0
        while self._behind(end) and clock.monotonic() < deadline:
            await self._turn(intake, folding)

    def _behind(self, end: int) -> bool:
        archive_behind = self._archive is not None and self._archive.connected and self._archive.sequence < end
        return self._files.sequence < end or archive_behind


def _check_reach(sink: str, sequence: int, stored: int) -> None:
    if sequence > stored:
        raise FatalError(
            f"{sink} reaches to {sequence}, but the stream EVENTS only to {stored}, so it comes from another; "
            "set DATA_DIR and DATABASE_URL to those of this stream, or run `python -m services.recorder rebuild`"
        )
