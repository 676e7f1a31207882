"""The fact by which a session's record can be proven later: what the recorder has written, under its signature."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from shared.schemas.envelope import Event, Value
from shared.schemas.values import Identity

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ShortDigests = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{16})+$")]


class ChainHead(Value):
    """The head of the hash chain over a session's first `count` events, the last of which has the id `last_id`.

    `digests` are the first eight bytes of the SHA-256 of each event from number `since` + 1 to `count`, one after the
    other: by them a difference is pinned to its event.
    """

    count: int = Field(ge=1)
    last_id: Identity
    head: Sha256
    since: int = Field(ge=0)
    digests: ShortDigests


class SignedHead(ChainHead):
    """A chain's head, whose key signed it (an NKEY starting with U), and the Ed25519 signature as base64."""

    signer: str
    signature: str


class AuditHead(Event):
    """The recorder vouches for a session's events up to `details.count`; told at intervals and after the end."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"recorder"})
    READERS: ClassVar[frozenset[str]] = frozenset({"recorder"})
    type: Literal["audit_head"] = "audit_head"
    level: Literal["debug"] = "debug"
    details: SignedHead
