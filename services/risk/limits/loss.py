"""`daily_loss_limit` and `max_drawdown_limit`: how much equity may fall before trading halts."""

from decimal import Decimal

from services.risk.limits.excess import Excess, share_of, written
from services.risk.limits.standing import Standing
from shared.schemas.session import RiskLimits


def daily_loss_limit(standing: Standing, limits: RiskLimits) -> Excess | None:
    """Trips when equity is down by the share, or more, since the day's start."""
    return _fallen("daily_loss_limit", limits.daily_loss_limit, standing.day_base, standing.equity)


def max_drawdown_limit(standing: Standing, limits: RiskLimits) -> Excess | None:
    """Trips when equity is down by the share, or more, from its peak."""
    return _fallen("max_drawdown_limit", limits.max_drawdown_limit, standing.peak, standing.equity)


def _fallen(rule: str, limit: Decimal | None, base: Decimal, equity: Decimal) -> Excess | None:
    if limit is None or equity >= base:
        return None
    loss = base - equity
    return Excess(rule, written(limit), share_of(loss, base)) if loss >= limit * base else None
