"""Which rules there are, in the order they are asked."""

from collections.abc import Callable

from services.risk.limits.api_errors import max_api_errors
from services.risk.limits.data_age import max_data_age
from services.risk.limits.excess import Excess
from services.risk.limits.exposure import max_open_exposure, max_position_size
from services.risk.limits.loss import daily_loss_limit, max_drawdown_limit
from services.risk.limits.order_flow import max_open_orders, max_orders_per_minute
from services.risk.limits.order_form import allowed_order_types
from services.risk.limits.proposal import Proposal
from services.risk.limits.slippage import max_slippage
from services.risk.limits.standing import Standing
from services.risk.limits.trade_risk import max_risk_per_trade
from shared.schemas.session import RiskLimits

ORDER_RULES: tuple[Callable[[Proposal, RiskLimits], Excess | None], ...] = (
    allowed_order_types,
    max_data_age,
    max_slippage,
    max_risk_per_trade,
    max_position_size,
    max_open_exposure,
    max_open_orders,
    max_orders_per_minute,
)
"""Asked of every order that may add risk."""

STANDING_RULES: tuple[Callable[[Standing, RiskLimits], Excess | None], ...] = (
    daily_loss_limit,
    max_drawdown_limit,
    max_api_errors,
)
"""Asked whenever the account is marked, the venue fails, or an order may add risk."""


CONDITIONAL = frozenset({"max_api_errors"})
"""Those of them that a venue which answers again restores; the others wait for a person."""


def broken_order_rule(proposal: Proposal, limits: RiskLimits) -> Excess | None:
    """The first rule that the order breaks, if any."""
    return next((excess for rule in ORDER_RULES if (excess := rule(proposal, limits))), None)


def broken_standing_rules(standing: Standing, limits: RiskLimits) -> list[Excess]:
    """Every watched limit that the account has crossed."""
    return [excess for rule in STANDING_RULES if (excess := rule(standing, limits))]
