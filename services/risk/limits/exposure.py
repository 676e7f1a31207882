"""`max_position_size` and `max_open_exposure`: how much may be held, as shares of equity."""

from decimal import Decimal

from services.risk.limits.excess import Excess, share_of, written
from services.risk.limits.proposal import Proposal
from shared.schemas.session import RiskLimits


def max_position_size(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """Refuses a buy after which the symbol's value would exceed the share of equity."""
    return _too_large("max_position_size", limits.max_position_size, proposal.symbol_value, proposal)


def max_open_exposure(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """Refuses a buy after which all positions together would exceed the share of equity."""
    return _too_large("max_open_exposure", limits.max_open_exposure, proposal.exposure, proposal)


def _too_large(rule: str, limit: Decimal | None, held: Decimal, proposal: Proposal) -> Excess | None:
    if limit is None or not proposal.added:
        return None
    after = held + proposal.added
    if after <= limit * proposal.equity:
        return None
    return Excess(rule, written(limit), share_of(after, proposal.equity))
