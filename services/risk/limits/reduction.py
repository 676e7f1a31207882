"""What must hold of every sell: positions are long only, and reduce-only orders must reduce."""

from services.risk.limits.excess import Excess, written
from services.risk.limits.proposal import Proposal
from shared.schemas.values import Side


def reduce_only(proposal: Proposal) -> Excess | None:
    """Refuses a reduce-only order that would not bring its strategy's position nearer to zero."""
    if proposal.ticket.side is Side.BUY:
        return Excess("reduce_only", "a sell against a long position", "a buy")
    return _uncovered("reduce_only", proposal)


def long_only(proposal: Proposal) -> Excess | None:
    """Refuses a sell of more than its strategy holds and no other open sell claims."""
    return None if proposal.ticket.side is Side.BUY else _uncovered("long_only", proposal)


def _uncovered(rule: str, proposal: Proposal) -> Excess | None:
    if proposal.ticket.qty <= proposal.sellable:
        return None
    return Excess(rule, f"{written(proposal.sellable)} held and free", written(proposal.ticket.qty))
