"""Reports of ended sessions: written once the files hold the end, told once the database holds it too."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from services.recorder.announcements import Announcer
from services.recorder.folder import FolderError
from services.recorder.reports import write_report
from services.recorder.session_files import REPORT_FILE
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.schemas.codec import UndecodableError, decode
from shared.schemas.identity import Cause
from shared.schemas.lifecycle import ReportReady, RunnerEnd
from shared.schemas.subjects import EVENTS, every_session, parse_event_subject


@dataclass(slots=True)
class Ending:
    """A session whose report is due: `sequence` is what must have been written before."""

    cause: Cause
    sequence: int
    written: bool = False


class Endings:
    """The reports that are due."""

    def __init__(self, root: Path, announcer: Announcer) -> None:
        self._root = root
        self._announcer = announcer
        self._due: dict[str, Ending] = {}

    async def take_up(self, bus: Bus) -> None:
        """Find sessions that ended while nobody told of their report."""
        told = await bus.latest(EVENTS, [every_session("recorder", ReportReady.model_fields["type"].default)])
        reported = {parse_event_subject(delivery.subject)[0] for delivery in told}
        for delivery in await bus.latest(EVENTS, [every_session("runner", RunnerEnd.model_fields["type"].default)]):
            if parse_event_subject(delivery.subject)[0] not in reported:
                self._take_up_one(delivery)

    def _take_up_one(self, delivery: Delivery) -> None:
        try:
            event = decode(delivery.subject, delivery.payload)
        except UndecodableError:
            return
        self.add(Cause.of(event, clock.now()), delivery.sequence)

    def add(self, cause: Cause, sequence: int) -> None:
        """A report is due because of `cause`, once everything up to `sequence` is written."""
        self._due[cause.session_id] = Ending(cause, sequence)

    async def settle(self, on_disk: int, in_database: int) -> None:
        """Write and tell what can be, given how far the files and the database reach."""
        for session_id, ending in tuple(self._due.items()):
            if on_disk >= ending.sequence and not ending.written:
                await self._write(session_id, ending)
            if ending.written and in_database >= ending.sequence:
                del self._due[session_id]
                await self._announcer.report_ready(ending.cause, f"sessions/{session_id}/{REPORT_FILE}")

    async def _write(self, session_id: str, ending: Ending) -> None:
        try:
            await asyncio.to_thread(write_report, self._root / session_id)
            ending.written = True
        except FolderError as error:
            del self._due[session_id]
            await self._announcer.report_failed(ending.cause, str(error))
