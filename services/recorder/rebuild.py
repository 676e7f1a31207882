"""Makes session folders and tables anew from the stream, by the same code that wrote them first.

Folders are written aside and swapped in; rows are replaced in one transaction, so readers see the old or the new ones.
"""

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from services.recorder import database
from services.recorder.core.ledger import Batch, Ledger
from services.recorder.folder import FolderError
from services.recorder.folding import Folding
from services.recorder.position import POSITION_FILE, FilePosition, read_position, write_position
from services.recorder.reports import write_report
from services.recorder.session_files import SessionFiles, session_folders
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.schemas.subjects import ALL_EVENTS, EVENTS, session_subjects

_ASIDE = ".rebuilt"
_OLD = ".replaced"


async def _passed_over(delivery: Delivery, reason: str) -> None:
    """What is no event was put aside when it was recorded first."""


async def stretches(bus: Bus, subject: str, last: int) -> AsyncIterator[Sequence[Delivery]]:
    """What is stored on `subject` up to and with number `last`, in stretches."""
    async for stretch in bus.read_in_stretches(EVENTS, [subject]):
        known = [delivery for delivery in stretch if delivery.sequence <= last]
        if known:
            yield known
        if len(known) < len(stretch):
            return


async def _batches(bus: Bus, session_id: str | None, last: int) -> AsyncIterator[tuple[Batch, Ledger]]:
    folding = Folding(bus, 0, _passed_over)
    async for stretch in stretches(bus, session_subjects(session_id) if session_id else ALL_EVENTS, last):
        yield await folding.batch(stretch), folding.ledger


async def rebuild_files(bus: Bus, root: Path, session_id: str | None) -> list[Path]:
    """Replace the folder of one session, or of all that the stream knows; answers the new folders."""
    last = await _reach(bus, root, session_id)
    shutil.rmtree(root / _ASIDE, ignore_errors=True)
    files = SessionFiles(root / _ASIDE)
    try:
        await _write(bus, files, session_id, last)
    finally:
        files.close()
    rebuilt = [_swapped_in(root, folder) for folder in _announced(root, session_id)]
    if session_id is None:
        write_position(root, FilePosition(last, {}))
    shutil.rmtree(root / _ASIDE)
    return rebuilt


async def _reach(bus: Bus, root: Path, session_id: str | None) -> int:
    """How far the files shall reach: one session as far as the others, all as far as the stream."""
    stored = await bus.last_sequence(EVENTS)
    if session_id is None:
        return stored
    kept = read_position(root) if (root / POSITION_FILE).exists() else None
    if kept is None or kept.sequence > stored:
        raise FatalError(f"{root} does not go with this stream; rebuild all sessions, not one")
    return kept.sequence


async def _write(bus: Bus, files: SessionFiles, session_id: str | None, last: int) -> None:
    found: dict[str, Ledger] = {}
    async for batch, ledger in _batches(bus, session_id, last):
        files.write(batch)
        found |= dict.fromkeys(batch.summaries, ledger)
    for told, ledger in found.items():
        summary = ledger.summary(told)
        files.write_summary(summary)
        if summary.start is not None and summary.ended_at is not None:
            write_report(files.root / told)


def _announced(root: Path, session_id: str | None) -> list[Path]:
    """The rebuilt folders, after the position has let go of the sizes of those they replace."""
    folders = list(session_folders(root / _ASIDE))
    if session_id is not None and not folders:
        raise FolderError(f"the stream holds nothing of session {session_id}")
    replaced = {folder.name for folder in folders}
    kept = read_position(root) if session_id is not None else None
    if kept is not None:
        sizes = {name: size for name, size in kept.sizes.items() if name.partition("/")[0] not in replaced}
        chains = {session_id: chain for session_id, chain in kept.chains.items() if session_id not in replaced}
        write_position(root, FilePosition(kept.sequence, sizes, chains))
    elif session_id is None:
        (root / POSITION_FILE).unlink(missing_ok=True)
    return folders


def _swapped_in(root: Path, folder: Path) -> Path:
    final, old = root / folder.name, root / f"{_OLD}-{folder.name}"
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    folder.rename(final)
    shutil.rmtree(old, ignore_errors=True)
    return final


async def rebuild_tables(bus: Bus, url: str, session_id: str | None) -> None:
    """Replace the rows of one session, or of all, in one transaction."""
    connection = database.connect(url)
    try:
        database.migrate(connection)
        with connection.transaction():
            await _replace_rows(bus, connection, session_id)
    finally:
        connection.close()


async def _replace_rows(bus: Bus, connection: database.Connection, session_id: str | None) -> None:
    connection.execute("SET LOCAL statement_timeout = 0")
    position = database.locked_position(connection)
    stored = await bus.last_sequence(EVENTS)
    if session_id is not None and position > stored:
        raise FatalError("the database does not go with this stream; rebuild all sessions, not one")
    last = position if session_id is not None else stored
    database.delete_rows(connection, session_id)
    async for batch, _ in _batches(bus, session_id, last):
        database.insert(connection, batch.entries, batch.summaries.values())
    database.set_position(connection, last)
