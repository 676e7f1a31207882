"""`max_api_errors`: how often in a row the venue may fail before trading halts."""

from services.risk.limits.excess import Excess
from services.risk.limits.standing import Standing
from shared.schemas.session import RiskLimits


def max_api_errors(standing: Standing, limits: RiskLimits) -> Excess | None:
    """Trips when more venue calls than allowed have failed without an accepted order between them."""
    if limits.max_api_errors is None or standing.api_errors <= limits.max_api_errors:
        return None
    return Excess("max_api_errors", str(limits.max_api_errors), str(standing.api_errors))
