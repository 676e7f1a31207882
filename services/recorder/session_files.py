"""The sink that writes `sessions/<session_id>/`: events.jsonl, trades.csv and summary.json, each fact once.

Files grow before the position does. After a kill they are cut back to the sizes that the position names, and the
stream is read on from there, so nothing is missing and nothing is there twice.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from services.recorder.chains import Chains
from services.recorder.core.ledger import Batch, Entry
from services.recorder.position import POSITION_FILE, FilePosition, read_position, write_aside, write_position
from shared.domain.exact_json import spelled
from shared.domain.summary import Summary, as_document
from shared.domain.trade_rows import HEADER, row
from shared.runtime.errors import FatalError
from shared.schemas.values import STACK

EVENTS_FILE = "events.jsonl"
TRADES_FILE = "trades.csv"
SUMMARY_FILE = "summary.json"
REPORT_FILE = "report.html"
OPEN_FILES = 128


def session_folders(root: Path) -> Iterator[Path]:
    """The folders of all recorded sessions below `root`, in order of their ids."""
    if root.is_dir():
        yield from sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


class SessionFiles:
    """Appends batches to the files below `root`. `sequence` is the last one that is written."""

    def __init__(self, root: Path, write: Callable[[int, memoryview], int] = os.write) -> None:
        self.root = root
        self._write_some = write
        root.mkdir(parents=True, exist_ok=True)
        kept = read_position(root) or _first_position(root)
        self.sequence = kept.sequence
        self.cut_short = _cut_back(root, kept)
        """Sessions whose files lost bytes that had been written: they need a rebuild."""
        self.chains = Chains(root, EVENTS_FILE, kept.chains)
        """The hash chain over each session's events, as far as they are written."""
        self._sizes = dict(kept.sizes)
        self._descriptors: dict[str, int] = {}

    @property
    def open_sessions(self) -> Iterable[str]:
        """The sessions that were written to lately."""
        return dict.fromkeys(name.partition("/")[0] for name in self._sizes)

    def write(self, batch: Batch) -> None:
        """Append what `batch` holds beyond the position, then move the position."""
        if batch.after > self.sequence:
            raise FatalError(f"the files reach to {self.sequence}, but the batch begins behind {batch.after}")
        fresh = [entry for entry in batch.entries if entry.sequence > self.sequence]
        chunks = _chunks(fresh)
        self.chains.ready({entry.event.session_id for entry in fresh})
        self._open(chunks)
        for name, content in chunks.items():
            self._append(name, content)
        self.chains.extend(fresh)
        self.sequence = max(self.sequence, batch.last)
        self._close_oldest()
        self._keep_position()

    def write_summary(self, summary: Summary) -> None:
        """Replace the session's summary.json. Facts about the stack and sessions without a start have none."""
        if summary.start is not None and summary.session_id != STACK:
            document = spelled(as_document(summary)) + "\n"
            write_aside(self.root / summary.session_id / SUMMARY_FILE, document.encode())

    def release(self, session_id: str, ended: bool) -> None:
        """Let go of a session's files; they are opened again when more is told.

        The chain of a session that goes on stays at hand: to make it anew is to read all of its events.
        """
        if ended:
            self.chains.forget(session_id)
        for name in [name for name in self._sizes if name.startswith(f"{session_id}/")]:
            self._release(name)

    def close(self) -> None:
        """Let go of all files."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()

    def _open(self, names: Iterable[str]) -> None:
        """Have `names` open for appending; a file whose size the position does not know is noted there first."""
        closed = [name for name in names if name not in self._descriptors]
        self._descriptors |= {name: _opened(self.root / name) for name in closed}
        unknown = [name for name in closed if name not in self._sizes]
        self._sizes |= {name: os.fstat(self._descriptors[name]).st_size for name in unknown}
        if unknown:
            self._keep_position()
        for name in closed:
            if name.endswith(TRADES_FILE) and self._sizes[name] == 0:
                self._append(name, HEADER)

    def _append(self, name: str, content: bytes) -> None:
        descriptor = self._descriptors[name] = self._descriptors.pop(name)
        rest = memoryview(content)
        while rest:
            rest = rest[self._write_some(descriptor, rest) :]
        self._sizes[name] += len(content)

    def _close_oldest(self) -> None:
        while len(self._descriptors) > OPEN_FILES:
            self._release(next(iter(self._descriptors)))

    def _release(self, name: str) -> None:
        del self._sizes[name]
        if name in self._descriptors:
            os.close(self._descriptors.pop(name))

    def _keep_position(self) -> None:
        write_position(self.root, FilePosition(self.sequence, self._sizes, self.chains.known))


def _chunks(entries: Iterable[Entry]) -> dict[str, bytes]:
    """What is appended to each file, by its path below the sessions folder."""
    told: dict[str, list[Entry]] = {}
    for entry in entries:
        told.setdefault(entry.event.session_id, []).append(entry)
    chunks: dict[str, bytes] = {}
    for session_id, its in told.items():
        chunks[f"{session_id}/{EVENTS_FILE}"] = b"".join([entry.line + b"\n" for entry in its])
        if session_id != STACK:
            chunks[f"{session_id}/{TRADES_FILE}"] = b"".join([row(each.trip) for each in its if each.trip is not None])
    return chunks


def _opened(path: Path) -> int:
    path.parent.mkdir(exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def _first_position(root: Path) -> FilePosition:
    if any(session_folders(root)):
        raise FatalError(
            f"{root} holds sessions but no {POSITION_FILE}, so it is not known how far they reach; "
            "run `python -m services.recorder rebuild`, or set DATA_DIR to an empty folder"
        )
    first = FilePosition(0, {})
    write_position(root, first)
    return first


def _cut_back(root: Path, kept: FilePosition) -> tuple[str, ...]:
    """Truncate files to their known sizes; answers the sessions whose files are shorter than that."""
    short = []
    for name, size in kept.sizes.items():
        path = root / name
        present = path.stat().st_size if path.exists() else 0
        if present < size:
            short.append(name.partition("/")[0])
        elif present > size:
            os.truncate(path, size)
    return tuple(dict.fromkeys(short))
