"""A recorded session with its signed heads, line by line as its events.jsonl holds them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

import nkeys

from services.recorder.core.audit import begun, head_of, pieces
from shared.domain.approval import Sign, Verify
from shared.runtime.keys import signer, verifier
from shared.schemas.codec import decode_line, encode
from shared.schemas.envelope import Event

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def key(name: str) -> tuple[str, Sign]:
    """The key pair that belongs to `name`: the public key, and the function that signs."""
    return signer(nkeys.encode_seed(sha256(name.encode()).digest(), nkeys.PREFIX_BYTE_USER))


def trusting(*names: str) -> dict[str, Verify]:
    """The public keys of `names`, as trusted ones."""
    return {public_key: verifier(public_key) for public_key in (key(name)[0] for name in names)}


def signed(lines: Sequence[bytes], since: int, name: str = "recorder") -> bytes:
    """The line of the head over all `lines`, with evidence for those after number `since`."""
    start = begun(decode_line(lines[0]).session_id).told
    *_, piece = pieces(start, since, len(lines), lines)
    return encode(head_of(piece, decode_line(piece.last_line), *key(name), NOW)) + b"\n"


def recorded(events: Sequence[Event], every: int = 10, late: int = 0, closed: bool = True) -> list[bytes]:
    """`events` with a head for every so many lines, each `late` lines behind what it covers, and a closing one."""
    lines: list[bytes] = []
    told, under_way = 0, list[tuple[int, bytes]]()
    for event in events:
        lines.append(encode(event) + b"\n")
        if len(lines) - told >= every:
            under_way.append((len(lines) + late, signed(lines, told)))
            told = len(lines)
        while under_way and under_way[0][0] <= len(lines):
            lines.append(under_way.pop(0)[1])
    lines += [head for _, head in under_way]
    return [*lines, signed(lines, told)] if closed else lines
