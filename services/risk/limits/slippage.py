"""`max_slippage`: how far from the last price an order may go, and how far a fill did go."""

from decimal import Decimal

from services.risk.limits.excess import Excess, written
from services.risk.limits.pricing import intended_price
from services.risk.limits.proposal import Proposal
from shared.schemas.orders import Fill
from shared.schemas.session import RiskLimits
from shared.schemas.values import Side


def max_slippage(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """Refuses an order whose own price lies further on the losing side of the guard's last close than allowed."""
    if limits.max_slippage is None:
        return None
    if proposal.close is None:
        return Excess("max_slippage", written(limits.max_slippage), "no last price to compare with")
    return _too_far(proposal.ticket.side, intended_price(proposal.ticket), proposal.close, limits.max_slippage)


def realised_slippage(fill: Fill, limits: RiskLimits) -> Excess | None:
    """Tells of a fill that was worse than its order's reference price by more than allowed."""
    if limits.max_slippage is None:
        return None
    return _too_far(fill.side, fill.price, fill.reference_price, limits.max_slippage)


def _too_far(side: Side, price: Decimal, reference: Decimal, limit: Decimal) -> Excess | None:
    adverse = price - reference if side is Side.BUY else reference - price
    if adverse <= limit * reference:
        return None
    return Excess("max_slippage", written(limit), written(adverse / reference))
