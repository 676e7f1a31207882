"""Folds the stream into what the sinks write: each fact once, with the round trip it completed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from shared.domain.portfolio import RoundTrip
from shared.domain.remembered import Remembered
from shared.domain.summary import Summary, initial, step, tells_again
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Heartbeat

REMEMBERED_IDS = 20_000
"""So many facts of a session are remembered by id; a copy of one of them is passed over."""
KEPT_SESSIONS = 100
"""So many sessions a snapshot holds, those that were told of last: left unfinished, sessions would pile up in it."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Entry(NamedTuple):
    """A fact to be recorded: its place in the stream, its line of JSON, and what it completed.

    It is `again` where it tells an execution that another service has told before.
    """

    sequence: int
    line: bytes
    event: Event
    trip: RoundTrip | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """What the stretch of the stream from behind `after` up to `last` leads to.

    `summaries` are the figures of the sessions that it touches, as they stand at its end.
    """

    entries: Sequence[Entry]
    after: int
    last: int
    summaries: Mapping[str, Summary]


class Kept(NamedTuple):
    """A session's fold in values that stay as they are; `ids` are those of the facts remembered, 16 bytes each."""

    summary: Summary
    ids: bytes


@dataclass(slots=True)
class _Account:
    summary: Summary
    seen: Remembered


class Ledger:
    """The running folds of all sessions, those in `kept` as they stood there."""

    def __init__(self, kept: Iterable[Kept] = ()) -> None:
        self._accounts = {one.summary.session_id: _account(one.summary, one.ids) for one in kept}

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._accounts

    def open(self, session_id: str) -> None:
        """Begin a session's fold; facts told earlier are entered next."""
        self._accounts.setdefault(session_id, _account(initial(session_id)))

    def enter(self, sequence: int, line: bytes, event: Event) -> Entry | None:
        """The entry for a fact; None when the stream holds it twice. A heartbeat is read by no fold."""
        if type(event) is Heartbeat:
            return Entry(sequence, line, event, None)
        account = self._accounts[event.session_id]
        if not account.seen.note(event.id):
            return None
        again = tells_again(account.summary, event)
        account.summary, trip = step(account.summary, event)
        return Entry(sequence, line, event, trip, again)

    def summary(self, session_id: str) -> Summary:
        """The session's figures up to the last fact entered."""
        return self._accounts[session_id].summary

    def forget(self, session_id: str) -> None:
        """Let go of a session's fold; it is recalled from the stream when needed."""
        self._accounts.pop(session_id, None)

    def kept(self) -> tuple[Kept, ...]:
        """The folds of the KEPT_SESSIONS sessions that were told of last; others are recalled from the stream."""
        oldest_first = sorted(self._accounts.values(), key=lambda account: account.summary.last_updated or _NEVER)
        return tuple(Kept(account.summary, account.seen.packed()) for account in oldest_first[-KEPT_SESSIONS:])


def _account(summary: Summary, ids: bytes = b"") -> _Account:
    return _Account(summary, Remembered(REMEMBERED_IDS, ids))


def batch_of(ledger: Ledger, entries: Sequence[Entry], after: int, last: int) -> Batch:
    """The batch of `entries`, with the sessions' figures as they stand now."""
    touched = dict.fromkeys(entry.event.session_id for entry in entries)
    return Batch(entries, after, last, {session_id: ledger.summary(session_id) for session_id in touched})


def joined(batches: Sequence[Batch]) -> Batch:
    """Batches that follow one another, as one."""
    entries = [entry for batch in batches for entry in batch.entries]
    summaries = {session_id: summary for batch in batches for session_id, summary in batch.summaries.items()}
    return Batch(entries, batches[0].after, batches[-1].last, summaries)


def halved(batch: Batch) -> tuple[Batch, Batch]:
    """The batch as two that follow one another; the sessions' figures come with the second."""
    middle = len(batch.entries) // 2
    first, second = batch.entries[:middle], batch.entries[middle:]
    seam = first[-1].sequence
    return Batch(first, batch.after, seam, {}), Batch(second, seam, batch.last, batch.summaries)
