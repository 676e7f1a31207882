"""Reports on request: `control.report` for every session that has started, `control.report.<session_id>` for one."""

import asyncio
from pathlib import Path

from services.recorder.announcements import Announcer
from services.recorder.folder import FolderError, read_summary
from services.recorder.reports import write_report
from services.recorder.session_files import REPORT_FILE, session_folders
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.schemas.commands import Command
from shared.schemas.identity import Cause, derived_id
from shared.schemas.subjects import CONTROL, command_subject


async def answer_requests(bus: Bus, root: Path, announcer: Announcer) -> None:
    """Write the reports that operators ask for from now on; never ends."""
    subjects = [command_subject("report"), command_subject("report", "*")]
    start = await bus.last_sequence(CONTROL) + 1
    async for delivery in bus.follow(CONTROL, subjects, start):
        command = Command.read(delivery.subject, delivery.payload, delivery.sequence, delivery.stored_at)
        for folder in _meant(root, command):
            await _answer(folder, command, announcer)


def _meant(root: Path, command: Command) -> list[Path]:
    """The folders of sessions that have started and that the command is about."""
    folders = [folder for folder in session_folders(root) if command.session_id in (None, folder.name)]
    return [folder for folder in folders if read_summary(folder) is not None]


async def _answer(folder: Path, command: Command, announcer: Announcer) -> None:
    identity, now = derived_id(folder.name, f"control:{command.sequence}"), clock.now()
    cause = Cause(identity, folder.name, now, now, identity)
    try:
        await asyncio.to_thread(write_report, folder)
    except FolderError as error:
        await announcer.report_failed(cause, str(error))
        return
    await announcer.report_ready(cause, f"sessions/{folder.name}/{REPORT_FILE}")
