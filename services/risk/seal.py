"""Approvals signed with the guard's own key."""

from datetime import datetime
from pathlib import Path

from services.risk.core.verdicts import Seal
from shared.domain.approval import Sign, approval_bytes
from shared.runtime.keys import load_or_create_seed, signer
from shared.schemas.orders import Approval, Ticket


def seal_with(public_key: str, sign: Sign, epoch: int) -> Seal:
    """The seal of the holder of `public_key` in its incarnation `epoch`."""

    def seal(session_id: str, intent_id: str, ticket: Ticket, expires_at: datetime) -> Approval:
        signature = sign(approval_bytes(session_id, intent_id, ticket, expires_at, epoch))
        return Approval(intent_id=intent_id, expires_at=expires_at, epoch=epoch, signer=public_key, signature=signature)

    return seal


def own_key(seed_file: Path, public_key_file: Path) -> tuple[str, Sign]:
    """The key with the seed in `seed_file`, made on first use; its public half is written for the runner to read."""
    public_key, sign = signer(load_or_create_seed(seed_file))
    _publish(public_key, public_key_file)
    return public_key, sign


def _publish(public_key: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    drafted = file.with_name(f".{file.name}.new")
    drafted.write_text(f"{public_key}\n")
    drafted.replace(file)
