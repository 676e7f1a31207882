"""`export`: a session as one file to take along."""

import shutil
import zipfile
from pathlib import Path

from services.recorder.folder import FolderError
from services.recorder.session_files import EVENTS_FILE, REPORT_FILE, SUMMARY_FILE, TRADES_FILE

_BY_SUFFIX = {".jsonl": EVENTS_FILE, ".json": SUMMARY_FILE, ".csv": TRADES_FILE, ".html": REPORT_FILE}


def export(folder: Path, out: Path) -> None:
    """Write a session to `out`: a .zip holds the folder; .jsonl events, .json summary, .csv trades, .html report."""
    if out.suffix == ".zip":
        _archive(folder, out)
        return
    name = _BY_SUFFIX.get(out.suffix)
    if name is None:
        raise FolderError(f"{out}: end the name in .zip for the session, or in {', '.join(_BY_SUFFIX)} for one file")
    if not (folder / name).is_file():
        raise FolderError(f"{folder / name} is missing; `python -m services.recorder report {folder.name}` may help")
    shutil.copyfile(folder / name, out)


def _archive(folder: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            if not path.name.startswith("."):
                archive.write(path, f"{folder.name}/{path.name}")
