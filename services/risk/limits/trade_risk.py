"""`max_risk_per_trade`: what one entry may lose, as a share of equity."""

from decimal import Decimal

from services.risk.limits.excess import Excess, share_of, written
from services.risk.limits.proposal import Proposal
from shared.schemas.session import RiskLimits


def max_risk_per_trade(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """Refuses an entry that would lose more than the share of equity if its protective stop were hit."""
    if limits.max_risk_per_trade is None:
        return None
    risk = at_risk(proposal)
    if risk <= limits.max_risk_per_trade * proposal.equity:
        return None
    return Excess("max_risk_per_trade", written(limits.max_risk_per_trade), share_of(risk, proposal.equity))


def at_risk(proposal: Proposal) -> Decimal:
    """What is lost at the protective stop; all of it without one, or with one that is no protection."""
    stop = proposal.ticket.protective_stop
    lost_at_stop = proposal.added - proposal.ticket.qty * stop if stop else proposal.added
    return lost_at_stop if lost_at_stop > 0 else proposal.added
