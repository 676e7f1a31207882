"""Writes a session's report from the facts in its folder."""

from pathlib import Path

from services.recorder.folder import FolderError, read_events
from services.recorder.position import write_aside
from services.recorder.session_files import REPORT_FILE
from shared.domain.report import gather, render


def write_report(folder: Path) -> Path:
    """Replace the folder's report.html; FolderError when its events don't make a session."""
    try:
        material = gather(read_events(folder))
    except ValueError as error:
        raise FolderError(f"{folder}: {error}") from None
    page = render(material.document, material.trades, material.equity, material.notes, material.shadow)
    write_aside(folder / REPORT_FILE, page.encode())
    return folder / REPORT_FILE
