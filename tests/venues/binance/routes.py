"""Which requests there are: their weight, whether they are signed, what they read and what they do."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.venues.binance import lists, public, reading, trading
from tests.venues.binance.call import Call
from tests.venues.binance.parameters import ORDER

_FIND = ("symbol", "orderId", "origClientOrderId")
_TIMES = ("startTime", "endTime", "limit")
_SYMBOLS = ("symbol", "symbols")


class Route(NamedTuple):
    """`weight_of_all` is the weight of a request that names no symbol."""

    weight: int
    does: Callable[[Call], Any]
    reads: tuple[str, ...] = ()
    signed: bool = True
    weight_of_all: int | None = None


def _open(weight: int, does: Callable[[Call], Any], *reads: str, of_all: int | None = None) -> Route:
    return Route(weight, does, reads, False, of_all)


ROUTES = {
    "GET /api/v3/ping": _open(1, public.ping),
    "GET /api/v3/time": _open(1, public.time),
    "GET /api/v3/exchangeInfo": _open(
        20, public.exchange_info, *_SYMBOLS, "permissions", "showPermissionSets", "symbolStatus"
    ),
    "GET /api/v3/klines": _open(2, public.klines, "symbol", "interval", "timeZone", *_TIMES),
    "GET /api/v3/avgPrice": _open(2, public.average_price, "symbol"),
    "GET /api/v3/depth": _open(5, public.depth, "symbol", "limit"),
    "GET /api/v3/ticker/price": _open(2, public.price, *_SYMBOLS, of_all=4),
    "GET /api/v3/ticker/bookTicker": _open(2, public.book_ticker, *_SYMBOLS, of_all=4),
    "GET /api/v3/ticker/24hr": _open(2, public.day_ticker, *_SYMBOLS, "type", of_all=80),
    "GET /api/v3/account": Route(20, reading.account, ("omitZeroBalances",)),
    "GET /api/v3/account/commission": Route(20, reading.commission, ("symbol",)),
    "GET /api/v3/rateLimit/order": Route(40, reading.order_counts),
    "GET /api/v3/order": Route(4, reading.order, _FIND),
    "GET /api/v3/openOrders": Route(6, reading.open_orders, ("symbol",), weight_of_all=80),
    "GET /api/v3/allOrders": Route(20, reading.all_orders, ("symbol", "orderId", *_TIMES)),
    "GET /api/v3/myTrades": Route(20, reading.trades, ("symbol", "orderId", "fromId", *_TIMES)),
    "GET /sapi/v1/account/apiRestrictions": Route(1, reading.restrictions),
    "GET /sapi/v1/asset/tradeFee": Route(1, reading.trade_fees, ("symbol",)),
    "GET /sapi/v1/system/status": _open(1, public.system_status),
    "POST /api/v3/order": Route(1, trading.place, tuple(ORDER)),
    "POST /api/v3/order/test": Route(1, trading.try_out, (*ORDER, "computeCommissionRates")),
    "DELETE /api/v3/order": Route(1, trading.cancel, (*_FIND, "newClientOrderId", "cancelRestrictions")),
    "DELETE /api/v3/openOrders": Route(1, trading.cancel_all, ("symbol",)),
    "POST /api/v3/order/cancelReplace": Route(
        1,
        trading.replace,
        (
            *ORDER,
            "cancelReplaceMode",
            "cancelNewClientOrderId",
            "cancelOrigClientOrderId",
            "cancelOrderId",
            "cancelRestrictions",
        ),
    ),
    "POST /api/v3/orderList/oco": Route(1, lists.place, tuple(lists.OCO)),
    "POST /api/v3/order/oco": Route(1, lists.place_old, tuple(lists.OLD_OCO)),
    "GET /api/v3/orderList": Route(4, lists.query, ("orderListId", "origClientOrderId")),
    "DELETE /api/v3/orderList": Route(
        1, lists.cancel, ("symbol", "orderListId", "listClientOrderId", "newClientOrderId")
    ),
    "GET /api/v3/allOrderList": Route(20, lists.all_lists, ("fromId", *_TIMES)),
    "GET /api/v3/openOrderList": Route(6, lists.open_lists),
}

METHODS = {
    "ping": "GET /api/v3/ping",
    "time": "GET /api/v3/time",
    "exchangeInfo": "GET /api/v3/exchangeInfo",
    "klines": "GET /api/v3/klines",
    "account.status": "GET /api/v3/account",
    "order.status": "GET /api/v3/order",
    "openOrders.status": "GET /api/v3/openOrders",
    "allOrders": "GET /api/v3/allOrders",
    "myTrades": "GET /api/v3/myTrades",
    "order.place": "POST /api/v3/order",
    "order.test": "POST /api/v3/order/test",
    "order.cancel": "DELETE /api/v3/order",
    "openOrders.cancelAll": "DELETE /api/v3/openOrders",
    "order.cancelReplace": "POST /api/v3/order/cancelReplace",
    "orderList.place.oco": "POST /api/v3/orderList/oco",
    "orderList.cancel": "DELETE /api/v3/orderList",
}
"""The methods of the WebSocket API that do what a REST request does."""
