"""A fold's state in a file, with the place in the stream that it stands for, so that a restart reads only the rest.

A snapshot is a shortcut and never the truth: one that is damaged, made by other code, or of a stream that is not this
one is passed over with a word on why, and the whole stream is read instead.
"""

import asyncio
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pydantic
import structlog

from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.code import code_digest
from shared.runtime.errors import LeitstandError
from shared.runtime.packing import UnpackableError, pack, unpack
from shared.runtime.streams import Message
from shared.schemas.subjects import EVENTS

FORMAT = 1
EVERY_EVENTS = 5_000
"""So many messages lie between two snapshots at least."""
PAUSE_SECONDS = 2.0
"""So much time, too: a fold that runs at full speed does not spend its time on snapshots."""
_LONGEST_HEADER = 4_096
_log = structlog.get_logger("snapshots")


class Snapshot(NamedTuple):
    """The state of a fold after all messages of EVENTS up to number `sequence`."""

    sequence: int
    state: Any


@dataclass(frozen=True, slots=True)
class _Header:
    """The first line of the file. `mark` tells the message at `sequence` from others that could stand there."""

    format: int
    code: str
    sequence: int
    mark: str
    bytes: int
    sha256: str


class _UnusableError(ValueError):
    """The file is no use; the message says why."""


class Snapshots:
    """The newest snapshot of one fold, in the file `path`.

    `packages` are those whose classes the state is made of, `code` all whose change may change the state.
    """

    def __init__(self, path: Path, bus: Bus, packages: Sequence[str], code: Sequence[str]) -> None:
        self._path = path
        self._bus = bus
        self._packages = packages
        self._code = code

    async def load(self) -> Snapshot | None:
        """The snapshot, if there is one that can be trusted; else None, and the log says why."""
        try:
            header, body = self._read()
            await self._check_stream(header)
            return Snapshot(header.sequence, unpack(body, self._packages))
        except FileNotFoundError:
            return None
        except (_UnusableError, UnpackableError, OSError) as error:
            _log.warning("snapshot passed over, the whole stream is read", path=str(self._path), reason=str(error))
            return None

    async def keep(self, snapshot: Snapshot) -> None:
        """Replace the file. UnpackableError when the state can't be packed."""
        found = await self._bus.message_at(EVENTS, snapshot.sequence)
        if found is not None:
            await asyncio.to_thread(self._write, snapshot, _mark(found))

    def remove(self) -> None:
        """Let go of the file: what it stood for is over."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> tuple[_Header, bytes]:
        with self._path.open("rb") as file:
            header = _parsed(file.readline(_LONGEST_HEADER))
            body = file.read()
        if header.format != FORMAT or header.code != self._fingerprint():
            raise _UnusableError("it was made by other code")
        if len(body) != header.bytes or sha256(body).hexdigest() != header.sha256:
            raise _UnusableError("it is damaged")
        return header, body

    async def _check_stream(self, header: _Header) -> None:
        found = await self._bus.message_at(EVENTS, header.sequence)
        if found is None:
            raise _UnusableError(f"it stands for number {header.sequence}, which {EVENTS} does not hold")
        if _mark(found) != header.mark:
            raise _UnusableError(f"number {header.sequence} of {EVENTS} is another message than the one it stands for")

    def _write(self, snapshot: Snapshot, mark: str) -> None:
        body = pack(snapshot.state)
        digest = sha256(body).hexdigest()
        header = _Header(FORMAT, self._fingerprint(), snapshot.sequence, mark, len(body), digest)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f".{self._path.name}.aside")
        aside.write_bytes(json.dumps(asdict(header)).encode() + b"\n" + body)
        os.replace(aside, self._path)

    def _fingerprint(self) -> str:
        return f"{code_digest(*self._code)}/{platform.python_version()}/{pydantic.VERSION}"


def _parsed(line: bytes) -> _Header:
    try:
        return _Header(**json.loads(line))
    except (ValueError, TypeError):
        raise _UnusableError("it has no header") from None


def _mark(message: Message) -> str:
    return sha256(message.subject.encode() + b"\n" + message.payload).hexdigest()


class Keeper:
    """Takes a snapshot now and then beside the fold's own work, one at a time; the last was at number `since`."""

    def __init__(self, snapshots: Snapshots, since: int) -> None:
        self._snapshots = snapshots
        self._next = since + EVERY_EVENTS
        self._not_before = 0.0
        self._writing: asyncio.Task[None] | None = None

    def due(self, sequence: int) -> bool:
        """Whether the state after number `sequence` is worth a snapshot."""
        if sequence < self._next or clock.monotonic() < self._not_before:
            return False
        return self._writing is None or self._writing.done()

    def keep(self, snapshot: Snapshot) -> None:
        """Write `snapshot` in the background. A failure is told in the log; the next one is tried again."""
        self._next, self._not_before = snapshot.sequence + EVERY_EVENTS, clock.monotonic() + PAUSE_SECONDS
        self._writing = asyncio.create_task(self._write(snapshot))

    async def finish(self, snapshot: Snapshot) -> None:
        """Wait for what is being written, then write the last one."""
        if self._writing is not None:
            await self._writing
        await self._write(snapshot)

    async def _write(self, snapshot: Snapshot) -> None:
        try:
            await self._snapshots.keep(snapshot)
        except (UnpackableError, OSError, LeitstandError) as error:
            _log.warning("no snapshot was kept", sequence=snapshot.sequence, reason=str(error))
