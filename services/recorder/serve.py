"""`run`: the recorder as a service."""

import asyncio
import sys
from pathlib import Path

from services.recorder.announcements import SERVICE, Announcer
from services.recorder.archive import Archive, Rejected
from services.recorder.auditor import Auditor, own_key
from services.recorder.endings import Endings
from services.recorder.gauges import REJECTED
from services.recorder.keeping import Keeping, snapshots_of
from services.recorder.rebuild import rebuild_files
from services.recorder.recording import Recorder
from services.recorder.requests import answer_requests
from services.recorder.session_files import SessionFiles
from services.recorder.sole import sole_writer
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.pulse import beat
from shared.runtime.service import Context
from shared.schemas.codec import subject_of

HANDOVER_SECONDS = 0.0005
"""So long the thread that feeds the database waits for the interpreter after each of its round trips, at most."""


async def record(context: Context) -> int:
    """Record until told to stop; answers the process's exit status."""
    root = context.settings.data_dir / "sessions"
    sys.setswitchinterval(HANDOVER_SECONDS)
    with sole_writer(root):
        files = await _mended(context, root)
        try:
            await _record(context, files)
        finally:
            files.close()
    return 0


async def _mended(context: Context, root: Path) -> SessionFiles:
    """The session files; those that lost bytes in a crash of the machine are made anew from the stream."""
    files = SessionFiles(root)
    if not files.cut_short:
        return files
    files.close()
    snapshots_of(context.bus, context.settings).remove()
    for session_id in files.cut_short:
        context.log.warning("session files have lost bytes and are rebuilt", session=session_id)
        await rebuild_files(context.bus, root, session_id)
    return SessionFiles(root)


async def _record(context: Context, files: SessionFiles) -> None:
    announcer = Announcer(context.bus)
    archive = _archive(context, announcer)
    context.ready()
    auditor = Auditor(context.bus, files.chains, announcer, *own_key(context.settings))
    keeping = Keeping(snapshots_of(context.bus, context.settings))
    recorder = Recorder(context.bus, files, archive, announcer, Endings(files.root, announcer), auditor, keeping)
    try:
        async with asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(answer_requests(context.bus, files.root, announcer)),
                tasks.create_task(beat(context.bus, SERVICE)),
            ]
            if archive is not None:
                background.append(tasks.create_task(archive.run()))
            await recorder.run(context.stopping)
            for task in background:
                task.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group


def _archive(context: Context, announcer: Announcer) -> Archive | None:
    url = context.settings.database_url
    if url is None:
        context.log.warning("DATABASE_URL is not set: only session files are written")
        return None
    archive = Archive(url, announcer.database_lost, announcer.database_restored, _Rejections(context.bus).put_aside)
    context.health.require("database", lambda: archive.problem)
    return archive


class _Rejections:
    """Facts that the database cannot hold become dead letters."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def put_aside(self, rejected: Rejected) -> None:
        entry, reason = rejected
        REJECTED.inc()
        event = entry.event
        await self._bus.deadletter(SERVICE, Delivery(subject_of(event), entry.line, entry.sequence, 0), reason)
