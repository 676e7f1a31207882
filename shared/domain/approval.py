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


def approval_bytes(session_id: str, intent_id: str, ticket: Ticket, expires_at: datetime, epoch: int) -> bytes:
    """The bytes under an approval's signature: session, intent, expiry, the guard's epoch, every field of the ticket.

    Epoch 0 is that of an approval of version 1, which was signed without one.
    """
    form, named = ("2", f"{epoch}\n") if epoch else ("1", "")
    head = f"leitstand-approval-{form}\n{session_id}\n{intent_id}\n{iso(expires_at)}\n{named}"
    return head.encode() + ticket.__pydantic_serializer__.to_json(ticket)


class UnapprovedError(ValueError):
    """An approval that must not be acted upon; the message says why."""


@dataclass(frozen=True, slots=True)
class ApprovedOrder:
    """A ticket that the guard signed. Made by `admit` alone; the only thing that a venue's `submit` takes."""

    ticket: Ticket
    expires_at: datetime
    approval_id: str
    epoch: int = 0


def is_signed(approval: OrderApproved, verify: Verify) -> bool:
    """Whether the approval carries the guard's signature over exactly this order."""
    word = approval.details
    signed = approval_bytes(approval.session_id, word.intent_id, approval.order, word.expires_at, word.epoch)
    return verify(signed, word.signature)


def admit(approval: OrderApproved, verify: Verify, now: datetime, epoch: int = 0) -> ApprovedOrder:
    """The approved order, once signature and expiry hold at market time `now`; UnapprovedError otherwise.

    `epoch` is that of the newest guard heard of: what an earlier one allowed counts for nothing, unless it reduces.
    """
    if not is_signed(approval, verify):
        raise UnapprovedError(f"the approval of {approval.order.client_order_id} does not carry the guard's signature")
    if now > approval.details.expires_at:
        raise UnapprovedError(
            f"the approval of {approval.order.client_order_id} expired at {approval.details.expires_at}"
        )
    if problem := superseded(approval.order, approval.details.epoch, epoch):
        raise UnapprovedError(problem)
    return ApprovedOrder(approval.order, approval.details.expires_at, approval.id, approval.details.epoch)


def superseded(ticket: Ticket, judged_in: int, epoch: int) -> str | None:
    """Why a verdict of the guard's epoch `judged_in` on `ticket` counts for nothing in `epoch`, or None."""
    if ticket.reduce_only or judged_in >= epoch:
        return None
    return f"{ticket.client_order_id} was approved by the guard of epoch {judged_in}, and {epoch} stands guard by now"
