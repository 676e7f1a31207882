"""What each of our calls costs of the minute's weight ("Request weight" in Binance's spot documentation)."""

from collections.abc import Mapping
from typing import Any

USED_WEIGHT = "x-mbx-used-weight-1m"
"""The header in which every answer tells how much of the minute's weight the address has used."""
_WEIGHTS: Mapping[str, int] = {
    "publicGetExchangeInfo": 20,
    "publicGetKlines": 2,
    "publicGetTime": 1,
    "privateGetAccount": 20,
    "privateGetMyTrades": 20,
    "privateGetOpenOrders": 6,
    "privateGetOrder": 4,
}
_OF_ONE_ORDER = 5


def weight_of(call: str, params: Mapping[str, Any]) -> int:
    """The weight of a call with these parameters; calls under /sapi count elsewhere."""
    if call.startswith("sapi"):
        return 0
    if call == "privateGetMyTrades" and "orderId" in params:
        return _OF_ONE_ORDER
    return _WEIGHTS.get(call, 1)
