"""The hash chain over a session's events in stream order, and what the recorder signs of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from shared.domain.approval import Sign
from shared.schemas.audit import AuditHead, ChainHead, SignedHead
from shared.schemas.envelope import Event
from shared.schemas.identity import derived_id
from shared.schemas.values import iso

AUDIT_HEAD: str = AuditHead.model_fields["type"].default
PIECE = 1_000
"""So many events a signed head covers at most beyond the one before."""
SHORT = 8
"""So many bytes of an event's digest are kept as evidence."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a session's record: behind `count` events and `offset` bytes of its file; `head` is the chain's."""

    count: int
    head: bytes
    offset: int


@dataclass(frozen=True, slots=True)
class Chain:
    """How far a session's chain reaches, and up to where it has been told.

    `substance` is the number of the last event that is no `audit_head`: what comes after it need not be told.
    """

    count: int
    head: bytes
    substance: int
    told: Mark


class Piece(NamedTuple):
    """The events from number `since` + 1 up to `mark`: their short digests, and the last of them as it is stored."""

    since: int
    mark: Mark
    digests: bytes
    last_line: bytes


def begun(session_id: str) -> Chain:
    """The chain of a session of which nothing is recorded."""
    anchor = anchor_of(session_id)
    return Chain(0, anchor, 0, Mark(0, anchor, 0))


def anchor_of(session_id: str) -> bytes:
    """The chain's head before the first event."""
    return sha256(f"leitstand-chain-1\n{session_id}\n".encode()).digest()


def digest(line: bytes) -> bytes:
    """The SHA-256 of an event as it is stored, without the line's end."""
    return sha256(line).digest()


def linked(head: bytes, line_digest: bytes) -> bytes:
    """The chain's head after one more event."""
    return sha256(head + line_digest).digest()


def extended(chain: Chain, lines: Iterable[tuple[bytes, bool]]) -> Chain:
    """The chain after further events, each with whether it is an `audit_head`."""
    count, head, substance = chain.count, chain.head, chain.substance
    for line, is_head in lines:
        count += 1
        head = sha256(head + sha256(line).digest()).digest()  # `linked`, for each fact that is ever recorded
        if not is_head:
            substance = count
    return replace(chain, count=count, head=head, substance=substance)


def pieces(start: Mark, since: int, end: int, lines: Iterable[bytes]) -> Iterator[Piece]:
    """Evidence for the events from number `since` + 1 to `end`, in pieces of PIECE at most.

    `lines` are those from `start` on, each with its line's end; `start` is not behind `since`. Where they are too few,
    the last piece ends before `end` or is missing.
    """
    count, head, offset = start.count, start.head, start.offset
    digests = bytearray()
    for line in lines:
        content = line.removesuffix(b"\n")
        line_digest = digest(content)
        count, head, offset = count + 1, linked(head, line_digest), offset + len(line)
        if count > since:
            digests += line_digest[:SHORT]
        if len(digests) == PIECE * SHORT or (count == end and digests):
            yield Piece(since, Mark(count, head, offset), bytes(digests), content)
            since, digests = count, bytearray()
        if count == end:
            return


def audit_bytes(session_id: str, timestamp: datetime, head: ChainHead) -> bytes:
    """The bytes under an `audit_head`'s signature: the session, the time and all that the head says."""
    parts = (session_id, iso(timestamp), head.count, head.last_id, head.head, head.since, head.digests)
    return "".join(f"{part}\n" for part in ("leitstand-audit-1", *parts)).encode()


def head_of(piece: Piece, last: Event, signer: str, sign: Sign, timestamp: datetime) -> AuditHead:
    """The signed head behind `piece`, whose last event is `last`. Its id follows from session, signer and count."""
    count, head = piece.mark.count, piece.mark.head
    claim = ChainHead(count=count, last_id=last.id, head=head.hex(), since=piece.since, digests=piece.digests.hex())
    identity = derived_id(last.session_id, f"recorder.audit_head.{signer}", count)
    return AuditHead(
        timestamp=timestamp,
        market_time=last.market_time,
        session_id=last.session_id,
        message=f"{count:,} events are vouched for",
        id=identity,
        correlation_id=identity,
        causation_id=last.id,
        service="recorder",
        details=SignedHead(
            **dict(claim), signer=signer, signature=sign(audit_bytes(last.session_id, timestamp, claim))
        ),
    )
