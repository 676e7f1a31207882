"""Where a record first differs from what signed heads tell of its events, and how."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from services.recorder.core.audit import SHORT
from shared.schemas.audit import AuditHead, ChainHead

INSERTED = "was inserted"
Short = bytes
"""The first SHORT bytes of an event's digest."""


class Finding(NamedTuple):
    """Something that speaks against the record; `line` is where, 0 when it is about the whole."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The events as they stand in the file and as they were recorded, by place from 0 on.

    Where no evidence is left, `recorded` is None. `heads` are the genuine heads by line, from 1 on.
    """

    found: Sequence[Short]
    recorded: Sequence[Short | None]
    heads: Mapping[int, AuditHead]


def compared(digests: Iterable[bytes], heads: Mapping[int, AuditHead]) -> Comparison:
    """The file's events beside the evidence in its genuine heads."""
    return Comparison([whole[:SHORT] for whole in digests], _recorded(head.details for head in heads.values()), heads)


def _recorded(heads: Iterable[ChainHead]) -> list[Short | None]:
    recorded: list[Short | None] = []
    for head in heads:
        evidence = bytes.fromhex(head.digests)
        parts = [evidence[begin : begin + SHORT] for begin in range(0, len(evidence), SHORT)]
        recorded.extend([None] * (head.since + len(parts) - len(recorded)))
        recorded[head.since : head.since + len(parts)] = parts
    return recorded


def first_difference(files: Comparison, intact: int, broken: int) -> Finding:
    """What was done first to the file, given that its first `intact` events are proven and its first `broken` not."""
    place = _first(files, intact)
    if place is None:
        return Finding(intact + 1, f"lines {intact + 1} to {broken} were altered; the evidence for which one is gone")
    return Finding(place + 1, _named(files, place) + _reservation(files, intact, place))


def _first(files: Comparison, intact: int) -> int | None:
    for place, recorded in islice(enumerate(files.recorded), intact, None):
        if recorded is not None and (place >= len(files.found) or files.found[place] != recorded):
            return place
    return None


def _named(files: Comparison, place: int) -> str:
    missing = _is_missing(files, place)
    if place >= len(files.found):
        return f"is missing: the events recorded from number {place + 1} on were removed or moved"
    foreign = _is_foreign(files, place)
    if missing and foreign:
        return "was changed" if _goes_on(files, place) else "was changed, or the event recorded here was removed"
    if missing:
        return _removed(files, place)
    if foreign:
        return INSERTED
    return _moved(files, place)


def _is_missing(files: Comparison, place: int) -> bool:
    """Whether the event that was recorded here stands nowhere from here on."""
    sought = files.recorded[place]
    return files.recorded[place:].count(sought) > files.found[place:].count(sought or b"")


def _is_foreign(files: Comparison, place: int) -> bool:
    """Whether the event found here was not recorded from here on."""
    # The last heads are told of by no other; but a head that stands before the end of what it covers has moved up.
    seen, head = files.found[place], files.heads.get(place + 1)
    own = head is not None and head.details.count > place and seen not in files.recorded
    return files.found[place:].count(seen) > files.recorded[place:].count(seen) + own


def _goes_on(files: Comparison, place: int) -> bool:
    """Whether it is known that what follows here was recorded as the next event."""
    if place + 1 < len(files.recorded) and files.recorded[place + 1] is not None:
        return True
    head = files.heads.get(place + 2)
    return head is not None and head.details.count == place + 1


def _removed(files: Comparison, place: int) -> str:
    after = _recorded_at(files, place)
    if after is None or after == place + 1:
        return f"follows upon a gap: the event recorded as number {place + 1} was removed"
    return f"follows upon a gap: the events recorded as numbers {place + 1} to {after} were removed"


def _moved(files: Comparison, place: int) -> str:
    here, sought = _recorded_at(files, place), files.recorded[place]
    there = files.found.index(sought or b"", place) + 1
    was = "later" if here is None else f"as number {here + 1}"
    return f"is out of order: it was recorded {was}; the event recorded as number {place + 1} stands in line {there}"


def _recorded_at(files: Comparison, place: int) -> int | None:
    """The place at which the event that is found at `place` was recorded."""
    later = enumerate(files.recorded[place:], start=place)
    return next((number for number, recorded in later if recorded == files.found[place]), None)


def _reservation(files: Comparison, intact: int, place: int) -> str:
    unknown = [number + 1 for number in range(intact, place) if files.recorded[number] is None]
    if not unknown:
        return ""
    return f" (lines {unknown[0]} to {unknown[-1]} have lost their evidence, so the first change may be there)"
