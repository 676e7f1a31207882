"""What exactly the guard signs, and the gate that only a signed, unexpired order passes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.schemas.orders import OrderApproved, Ticket
from shared.schemas.values import iso

Sign = Callable[[bytes], str]
"""Signs bytes; answers the signature as base64."""
Verify = Callable[[bytes, str], bool]
"""Whether a base64 signature over bytes is the guard's."""


def approval_bytes(session_id: str, intent_id: str, ticket: Ticket, expires_at: datetime) -> bytes:
    """The bytes under an approval's signature: the session, the intent, every field of the ticket, the expiry."""
    head = f"leitstand-approval-1\n{session_id}\n{intent_id}\n{iso(expires_at)}\n"
    return head.encode() + ticket.__pydantic_serializer__.to_json(ticket)


class UnapprovedError(ValueError):
    """An approval that must not be acted upon; the message says why."""


@dataclass(frozen=True, slots=True)
class ApprovedOrder:
    """A ticket that the guard signed. Made by `admit` alone; the only thing that a venue's `submit` takes."""

    ticket: Ticket
    expires_at: datetime
    approval_id: str


def is_signed(approval: OrderApproved, verify: Verify) -> bool:
    """Whether the approval carries the guard's signature over exactly this order."""
    word = approval.details
    signed = approval_bytes(approval.session_id, word.intent_id, approval.order, word.expires_at)
    return verify(signed, word.signature)


def admit(approval: OrderApproved, verify: Verify, now: datetime) -> ApprovedOrder:
    """The approved order, once signature and expiry hold at market time `now`; UnapprovedError otherwise."""
    if not is_signed(approval, verify):
        raise UnapprovedError(f"the approval of {approval.order.client_order_id} does not carry the guard's signature")
    if now > approval.details.expires_at:
        raise UnapprovedError(
            f"the approval of {approval.order.client_order_id} expired at {approval.details.expires_at}"
        )
    return ApprovedOrder(approval.order, approval.details.expires_at, approval.id)
