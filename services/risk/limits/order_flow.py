"""`max_open_orders` and `max_orders_per_minute`: how many orders may stand and how fast they may come."""

from services.risk.limits.excess import Excess
from services.risk.limits.proposal import Proposal
from shared.schemas.session import RiskLimits


def max_open_orders(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """Refuses an order that would be one too many at the venue; approved ones count from their approval on."""
    return _too_many("max_open_orders", limits.max_open_orders, proposal.open_orders + 1)


def max_orders_per_minute(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """Refuses an order that would be one too many within a minute of market time."""
    return _too_many("max_orders_per_minute", limits.max_orders_per_minute, proposal.recent_orders + 1)


def _too_many(rule: str, limit: int | None, count: int) -> Excess | None:
    if limit is None or count <= limit:
        return None
    return Excess(rule, str(limit), str(count))
