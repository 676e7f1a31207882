"""The hash chains of the sessions that are being recorded."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from services.recorder.core.audit import AUDIT_HEAD, Chain, Mark, begun, extended
from services.recorder.core.ledger import Entry
from shared.schemas.audit import AuditHead

KEPT_CHAINS = 1_000
"""So many chains are kept at hand; others are made anew from their file when needed."""


def type_of(line: bytes) -> str | None:
    """The type of the event on a line, None when it is none."""
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return str(parsed.get("type")) if isinstance(parsed, dict) else None


def lines_from(path: Path, offset: int) -> Iterator[bytes]:
    """The file's lines from byte `offset` on, each with its end."""
    with path.open("rb") as lines:
        lines.seek(offset)
        yield from lines


class Chains:
    """The chain of each session below `root`, over its file `name`. `kept` is where they stood before."""

    def __init__(self, root: Path, name: str, kept: Mapping[str, Chain]) -> None:
        self._root, self._name = root, name
        self._chains = dict(kept)

    @property
    def known(self) -> Mapping[str, Chain]:
        """The chains at hand, by session."""
        return self._chains

    def of(self, session_id: str) -> Chain:
        """The session's chain, made anew from its file if it is not at hand."""
        if session_id not in self._chains:
            self._chains[session_id] = _read(self.path(session_id), session_id)
        return self._chains[session_id]

    def ready(self, session_ids: Iterable[str]) -> None:
        """Have the chains of sessions at hand, before their files grow."""
        for session_id in session_ids:
            self.of(session_id)

    def extend(self, entries: Iterable[Entry]) -> None:
        """Take in what was appended to the files. Each session's chain was made `ready` before."""
        added: dict[str, list[tuple[bytes, bool]]] = {}
        for entry in entries:
            event = entry.event
            added.setdefault(event.session_id, []).append((entry.line, isinstance(event, AuditHead)))
        for session_id, lines in added.items():
            self._chains[session_id] = extended(self._chains.pop(session_id), lines)
        for oldest in tuple(islice(self._chains, max(len(self._chains) - KEPT_CHAINS, 0))):
            self.forget(oldest)

    def told(self, session_id: str, mark: Mark) -> None:
        """Note that the chain has been told up to `mark`."""
        self._chains[session_id] = replace(self.of(session_id), told=mark)

    def forget(self, session_id: str) -> None:
        """Let go of a session's chain."""
        self._chains.pop(session_id, None)

    def path(self, session_id: str) -> Path:
        """The file that the session's chain goes over."""
        return self._root / session_id / self._name


def _read(path: Path, session_id: str) -> Chain:
    if not path.exists():
        return begun(session_id)
    lines = (line.removesuffix(b"\n") for line in lines_from(path, 0))
    return extended(begun(session_id), ((line, _is_head(line)) for line in lines))


def _is_head(line: bytes) -> bool:
    return AUDIT_HEAD.encode() in line and type_of(line) == AUDIT_HEAD
