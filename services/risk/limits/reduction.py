"""What must hold of every sell: positions are long only, and reduce-only orders must reduce."""

from services.risk.limits.excess import Excess, written
from services.risk.limits.proposal import Proposal
from shared.schemas.orders import Ticket
from shared.schemas.values import Side


def reduce_only(proposal: Proposal) -> Excess | None:
    """Refuses a reduce-only order that would not bring its strategy's position nearer to zero."""
    if proposal.ticket.side is Side.BUY:
        return Excess("reduce_only", "a sell against a long position", "a buy")
    if proposal.ticket.is_list and _is_crossed(proposal.ticket):
        return Excess("reduce_only", "a take-profit above its stop", "one at or below it")
    return _uncovered("reduce_only", proposal)


def _is_crossed(ticket: Ticket) -> bool:
    return ticket.stop_price is None or ticket.take_profit is None or ticket.take_profit <= ticket.stop_price


def long_only(proposal: Proposal) -> Excess | None:
    """Refuses a sell of more than its strategy holds and no other open sell claims."""
    return None if proposal.ticket.side is Side.BUY else _uncovered("long_only", proposal)


def _uncovered(rule: str, proposal: Proposal) -> Excess | None:
    if proposal.ticket.qty <= proposal.sellable:
        return None
    return Excess(rule, f"{written(proposal.sellable)} held and free", written(proposal.ticket.qty))
