"""`allowed_order_types`: which kinds of order may leave."""

from services.risk.limits.excess import Excess
from services.risk.limits.proposal import Proposal
from shared.schemas.session import RiskLimits


def allowed_order_types(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """Refuses an order of a type that the session does not list."""
    if proposal.ticket.type in limits.allowed_order_types:
        return None
    return Excess("allowed_order_types", ", ".join(limits.allowed_order_types) or "none", proposal.ticket.type)
