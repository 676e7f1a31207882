"""`max_data_age`: no order on old prices."""

from services.risk.limits.excess import Excess
from services.risk.limits.proposal import Proposal
from shared.schemas.session import RiskLimits


def max_data_age(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """Refuses an order whose symbol has not shown a closed candle recently enough in market time."""
    if limits.max_data_age is None:
        return None
    if proposal.closed_at is None:
        return Excess("max_data_age", str(limits.max_data_age), "no candle yet")
    age = proposal.market_time - proposal.closed_at
    return Excess("max_data_age", str(limits.max_data_age), str(age)) if age > limits.max_data_age else None
