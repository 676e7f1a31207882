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
_OPEN_ORDERS_OF_ALL = 80


def asks_for_all_open_orders(symbols: int) -> bool:
    """Whether the open orders of so many symbols cost less where those of all are asked for at once."""
    return symbols * _WEIGHTS["privateGetOpenOrders"] > _OPEN_ORDERS_OF_ALL


def weight_of_statement(symbols: int) -> int:
    """The least that a statement of so many symbols costs: two looks at the balances, one at orders and trades."""
    orders = min(symbols * _WEIGHTS["privateGetOpenOrders"], _OPEN_ORDERS_OF_ALL)
    return 2 * _WEIGHTS["privateGetAccount"] + orders + symbols * _WEIGHTS["privateGetMyTrades"]


def weight_of(call: str, params: Mapping[str, Any]) -> int:
    """The weight of a call with these parameters; calls under /sapi count elsewhere."""
    if call.startswith("sapi"):
        return 0
    if call == "privateGetMyTrades" and "orderId" in params:
        return _OF_ONE_ORDER
    if call == "privateGetOpenOrders" and "symbol" not in params:
        return _OPEN_ORDERS_OF_ALL
    return _WEIGHTS.get(call, 1)
