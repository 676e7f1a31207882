"""What the recorder itself tells. Ids follow from causes, so telling again after a restart adds nothing."""

from typing import Any

from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, Facts
from shared.schemas.lifecycle import (
    Connection,
    ConnectionLost,
    ConnectionRestored,
    ErrorDetails,
    ErrorRaised,
    FileWritten,
    ReportReady,
    SummaryUpdated,
)
from shared.schemas.values import STACK, Service

SERVICE: Service = "recorder"
PEER = "postgresql"


class Announcer:
    """Tells facts as the service `recorder`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def summary_updated(self, cause: Event, path: str) -> None:
        """A session's summary.json is written up to the fact `cause`."""
        await self._tell(Cause.of(cause, clock.now()), SummaryUpdated, details=FileWritten(path=path))

    async def report_ready(self, cause: Cause, path: str) -> None:
        """A session's report is on disk and the database holds all up to the fact that caused it."""
        await self._tell(cause, ReportReady, message=f"report written: {path}", details=FileWritten(path=path))

    async def report_failed(self, cause: Cause, problem: str) -> None:
        """A session's report could not be written."""
        await self._tell(cause, ErrorRaised, error=problem, details=ErrorDetails(where="report"))

    async def record_altered(self, session_id: str, problem: str) -> None:
        """A session's events.jsonl is not what was written."""
        await self._tell(_unprompted(session_id), ErrorRaised, error=problem, details=ErrorDetails(where="audit"))

    async def database_lost(self, problem: str) -> None:
        """PostgreSQL can't be reached."""
        text = f"PostgreSQL is away, session files go on: {problem}"
        await self._tell(_unprompted(), ConnectionLost, message=text, error=problem, details=Connection(peer=PEER))

    async def database_restored(self) -> None:
        """PostgreSQL is back."""
        text = "PostgreSQL is back and is brought up to date"
        await self._tell(_unprompted(), ConnectionRestored, message=text, details=Connection(peer=PEER))

    async def _tell(self, cause: Cause, kind: type[Event], **fields: Any) -> None:
        facts = Facts(cause, SERVICE)
        facts.tell(kind, **fields)
        await self._bus.append(facts.told)


def _unprompted(session_id: str = STACK) -> Cause:
    identity, now = clock.new_id(), clock.now()
    return Cause(identity, session_id, now, now, identity)
