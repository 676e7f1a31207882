"""Tells `audit_head`: at intervals while a session runs, once it has ended, and before the recorder itself ends.

A head is made by reading back what the file holds since the head before. It is signed only if that leads to where the
chain stood when the facts came from the bus, so what was altered in between is noticed, not vouched for.
"""

from pathlib import Path

from services.recorder.announcements import SERVICE, Announcer
from services.recorder.chains import Chains, lines_from
from services.recorder.core.audit import AUDIT_HEAD, PIECE, Piece, audit_bytes, head_of, pieces
from services.recorder.position import write_aside
from shared.domain.approval import Sign
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.errors import RetryableError
from shared.runtime.keys import load_or_create_seed, signer, verifier
from shared.runtime.settings import Settings
from shared.schemas.audit import AuditHead
from shared.schemas.codec import UndecodableError, decode, decode_line
from shared.schemas.subjects import EVENTS, event_subject

RUNNING_SECONDS = 60.0
"""A head is due when the first event without one has waited so long, or when there are PIECE of them."""
ENDED_SECONDS = 2.0
"""After a session's end it is due when nothing more has come for so long."""
RETRY_SECONDS = 5.0


class AlteredError(Exception):
    """A session's file is not what was written."""


def public_key_file(settings: Settings) -> Path:
    """Where the recorder's public key is kept."""
    return settings.recorder_public_key_file or settings.data_dir / "keys" / "recorder.pub"


def own_key(settings: Settings) -> tuple[str, Sign]:
    """The recorder's public key and signature, made on first use; the public key is written for `verify` to read."""
    seed_file = settings.recorder_signing_seed_file or settings.data_dir / "keys" / "recorder.seed"
    public_key, sign = signer(load_or_create_seed(seed_file))
    published = public_key_file(settings)
    published.parent.mkdir(parents=True, exist_ok=True)
    write_aside(published, f"{public_key}\n".encode())
    return public_key, sign


class Auditor:
    """Vouches with the key `signer` for what `chains` say is recorded."""

    def __init__(self, bus: Bus, chains: Chains, announcer: Announcer, signer: str, sign: Sign) -> None:
        self._bus, self._chains, self._announcer = bus, chains, announcer
        self._signer, self._sign = signer, sign
        self._told: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._altered: set[str] = set()

    def note(self, session_id: str, ended: bool) -> None:
        """Something of the session was recorded: see to it that it gets a head."""
        if session_id in self._altered or self._is_told(session_id):
            return
        now = clock.monotonic()
        if ended:
            self._due[session_id] = now + ENDED_SECONDS
        else:
            self._due.setdefault(session_id, now + RUNNING_SECONDS)

    def awaits(self, session_id: str) -> bool:
        """Whether a head of the session is still to be told."""
        return session_id in self._due

    async def settle(self, all_of_them: bool = False) -> None:
        """Tell the heads that are due, or of everything that has none yet. Without the bus they stay due."""
        now = clock.monotonic()
        for session_id, due_at in tuple(self._due.items()):
            if self._bus.connected and (all_of_them or due_at <= now or self._waiting(session_id) >= PIECE):
                await self._settle_one(session_id)

    async def _settle_one(self, session_id: str) -> None:
        del self._due[session_id]
        try:
            await self._learn(session_id)
            if not self._is_told(session_id):
                await self._tell(session_id)
        except RetryableError:
            self._due[session_id] = clock.monotonic() + RETRY_SECONDS
        except AlteredError as error:
            self._altered.add(session_id)
            await self._announcer.record_altered(session_id, str(error))

    async def _learn(self, session_id: str) -> None:
        """Find out, once in a life, up to where an earlier life told: that is not told again."""
        if session_id in self._told:
            return
        stored = await self._bus.latest(EVENTS, [event_subject(session_id, SERVICE, AUDIT_HEAD)])
        heads = [head for delivery in stored if (head := _decoded(delivery)) and self._is_own(head)]
        self._told[session_id] = max((head.details.count for head in heads), default=0)

    async def _tell(self, session_id: str) -> None:
        for piece in self._read_back(session_id):
            last = decode_line(piece.last_line)
            await self._bus.append([head_of(piece, last, self._signer, self._sign, clock.now())])
            self._told[session_id] = piece.mark.count
            self._chains.told(session_id, piece.mark)

    def _read_back(self, session_id: str) -> list[Piece]:
        chain, path = self._chains.of(session_id), self._chains.path(session_id)
        try:
            lines = lines_from(path, chain.told.offset)
            found = list(pieces(chain.told, self._since(session_id), chain.count, lines))
        except OSError as error:
            raise AlteredError(_advice(path, error.strerror or "it can't be read")) from None
        if not found or (found[-1].mark.count, found[-1].mark.head) != (chain.count, chain.head):
            raise AlteredError(_advice(path, f"an event after number {chain.told.count} is not what was recorded"))
        return found

    def _since(self, session_id: str) -> int:
        return max(self._told.get(session_id, 0), self._chains.of(session_id).told.count)

    def _waiting(self, session_id: str) -> int:
        return self._chains.of(session_id).count - self._since(session_id)

    def _is_told(self, session_id: str) -> bool:
        return self._chains.of(session_id).substance <= self._since(session_id)

    def _is_own(self, head: AuditHead) -> bool:
        signed, details = audit_bytes(head.session_id, head.timestamp, head.details), head.details
        return details.signer == self._signer and verifier(self._signer)(signed, details.signature)


def _decoded(delivery: Delivery) -> AuditHead | None:
    try:
        event = decode(delivery.subject, delivery.payload)
    except UndecodableError:
        return None
    return event if isinstance(event, AuditHead) else None


def _advice(path: Path, problem: str) -> str:
    return (
        f"{path} was altered after it was written: {problem}. No further event of it is vouched for; keep a copy as "
        f"evidence, stop the recorder and run `python -m services.recorder rebuild {path.parent.name}`"
    )
