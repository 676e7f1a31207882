"""`verify`: what a session's record proves, offline: neither the bus nor the database is asked."""

import argparse
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from services.recorder.auditor import public_key_file
from services.recorder.chains import type_of
from services.recorder.core.verification import Verdict, read_record, verify
from services.recorder.folder import SESSION_ID, FolderError, folder_of
from services.recorder.session_files import EVENTS_FILE, session_folders
from shared.domain.approval import Verify
from shared.runtime.errors import SettingsError
from shared.runtime.keys import verifier
from shared.runtime.settings import Settings

SHOWN = 5
"""So many findings of a session are shown."""


class UsageError(FolderError):
    """What is to be verified is not there."""

    exit_status = 2


def add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `verify`."""
    text = "check sessions against the recorder's signed hash chain; name the first event that was altered"
    status = "Exit status: 0 all is proven, 1 something is altered or not proven, 2 wrong usage."
    command = commands.add_parser("verify", help=text, description=f"{text[0].upper()}{text[1:]}. {status}")
    where = "its id, the first characters of it, its folder, its events.jsonl or an exported .zip; without it, all"
    command.add_argument("session", nargs="?", metavar="SESSION_ID|FOLDER|FILE", help=where)
    whose = "the recorder's public key, or a file with it, from a source you trust; may be given several times"
    command.add_argument("--key", action="append", metavar="KEY|FILE", help=f"{whose} (default: keys/recorder.pub)")
    command.set_defaults(act=_verify)


def _verify(settings: Settings, arguments: argparse.Namespace) -> int:
    trusted = dict(_trusted(key) for key in arguments.key or [str(public_key_file(settings))])
    root = settings.data_dir / "sessions"
    sources = [_source(root, arguments.session)] if arguments.session else list(session_folders(root))
    if not sources:
        raise UsageError(f"there are no sessions in {root}; name a folder or a file")
    return max(_tell(source, trusted) for source in sources)


def _trusted(key: str) -> tuple[str, Verify]:
    path = Path(key)
    if not path.suffix and not path.exists():
        return key, verifier(key, "--key")
    try:
        public_key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the recorder's public key can't be read from {key}: {error}; name it by --key") from None
    return public_key, verifier(public_key, f"{key}:")


def _source(root: Path, session: str) -> Path:
    if Path(session).is_file():
        return Path(session)
    try:
        return folder_of(root, session)
    except FolderError as error:
        raise UsageError(str(error)) from None


def _tell(source: Path, trusted: Mapping[str, Verify]) -> int:
    place = _located(source)
    with _opened(place) as lines:
        verdict = verify(read_record(lines), place.session_id, trusted)
    print("\n".join([f"{verdict.session_id or source}: {_headline(verdict)}", *_details(place, verdict)]))
    return 1 if verdict.findings else 0


class _Place(NamedTuple):
    """Where a session's events are: a file, or a member of an archive; and the session that its folder is named for."""

    path: Path
    member: str | None
    session_id: str | None


def _located(source: Path) -> _Place:
    path = source / EVENTS_FILE if source.is_dir() else source
    if not zipfile.is_zipfile(path):
        return _Place(path, None, _session_named(path.resolve().parent.name))
    with zipfile.ZipFile(path) as archive:
        found = [name for name in archive.namelist() if PurePosixPath(name).name == EVENTS_FILE]
    if len(found) != 1:
        raise UsageError(f"{path} holds {len(found) or 'no'} {EVENTS_FILE}; export one session")
    return _Place(path, found[0], _session_named(PurePosixPath(found[0]).parent.name))


def _session_named(folder: str) -> str | None:
    return folder if SESSION_ID.fullmatch(folder) else None


@contextmanager
def _opened(place: _Place) -> Iterator[Iterable[bytes]]:
    try:
        if place.member is None:
            with place.path.open("rb") as lines:
                yield lines
        else:
            with zipfile.ZipFile(place.path) as archive, archive.open(place.member) as packed:
                yield packed
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"{place.path} can't be read: {error}") from None


def _headline(verdict: Verdict) -> str:
    proven = f"lines 1 to {verdict.covered:,} are proven" if verdict.covered else "nothing is proven"
    state = "NOT INTACT" if verdict.findings else "intact"
    return f"{state}, {verdict.lines:,} events, {verdict.heads:,} signed heads, {proven}"


def _details(place: _Place, verdict: Verdict) -> Iterator[str]:
    shown = verdict.findings[:SHOWN]
    words = _words(place, {finding.line for finding in shown})
    for line, text in shown:
        yield f"  line {line}{words.get(line, '')} {text}" if line else f"  {text}"
    if len(verdict.findings) > SHOWN:
        yield f"  … and {len(verdict.findings) - SHOWN} findings more"
    for remark in verdict.remarks[:SHOWN]:
        yield f"  note: {remark}"


def _words(place: _Place, wanted: set[int]) -> dict[int, str]:
    """What stands on some lines, in a word each."""
    if not wanted:
        return {}
    with _opened(place) as lines:
        numbered = enumerate(lines, start=1)
        return {number: f" ({type_of(line) or 'no event'})" for number, line in numbered if number in wanted}
