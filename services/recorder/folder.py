"""Reads what a session's folder holds."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.recorder.session_files import EVENTS_FILE, SUMMARY_FILE
from shared.runtime.errors import LeitstandError
from shared.schemas.codec import UndecodableError, decode_as
from shared.schemas.envelope import Event

SESSION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class FolderError(LeitstandError):
    """A session's folder is not there, or its content is not what it should be."""


def folder_of(root: Path, session: str) -> Path:
    """The folder that `session` names: an id, the beginning of one, or a path; FolderError when there is none."""
    if Path(session).is_dir() and (Path(session) / EVENTS_FILE).is_file():
        return Path(session)
    near = root.glob(f"{session}*") if re.fullmatch(r"[0-9a-f-]{4,36}", session) else ()
    found = [path for path in near if SESSION_ID.fullmatch(path.name)]
    if len(found) == 1:
        return found[0]
    problem = "several sessions begin with" if found else "there is no session"
    raise FolderError(f"{problem} {session!r} in {root}; `python -m services.recorder sessions` lists them")


def read_event(line: bytes) -> Event:
    """The event on one line of events.jsonl; UndecodableError when it is none."""
    try:
        parsed = json.loads(line)
    except ValueError as error:
        raise UndecodableError(f"not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise UndecodableError("not a JSON object")
    return decode_as(str(parsed.get("type")), line)


def read_events(folder: Path) -> Iterator[Event]:
    """The facts of a session in stream order, but for a last line that is being written; FolderError for a bad one."""
    path = folder / EVENTS_FILE
    if not path.is_file():
        raise FolderError(f"{path} is missing; `python -m services.recorder rebuild {folder.name}` makes it anew")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield read_event(line)
            except UndecodableError as error:
                raise FolderError(f"{path}:{number}: {error}") from None


def read_summary(folder: Path) -> dict[str, Any] | None:
    """The content of summary.json with exact numbers; None when the session has none yet. FolderError if damaged."""
    path = folder / SUMMARY_FILE
    try:
        document = json.loads(path.read_bytes(), parse_float=Decimal)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise FolderError(f"{path} is damaged: {error}") from None
    if not isinstance(document, dict):
        raise FolderError(f"{path} is damaged: it holds no object")
    return document
