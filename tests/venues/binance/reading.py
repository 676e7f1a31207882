"""Signed requests that only read."""

from typing import Any

from tests.venues.binance import wire
from tests.venues.binance.amounts import ZERO, text
from tests.venues.binance.call import Call
from tests.venues.binance.parameters import whole
from tests.venues.binance.refusal import Refusal


def account(call: Call) -> Any:
    """GET /api/v3/account."""
    signer = call.account
    told = wire.account(call.books.ledger, call.exchange.fees, signer.can_trade, signer.can_withdraw, call.now)
    if call.parameters.get("omitZeroBalances") == "true":
        told["balances"] = [row for row in told["balances"] if float(row["free"]) or float(row["locked"])]
    return told


def commission(call: Call) -> Any:
    """GET /api/v3/account/commission."""
    fees, nothing = call.exchange.fees, dict.fromkeys(("maker", "taker", "buyer", "seller"), text(ZERO))
    return {
        "symbol": call.symbol(),
        "standardCommission": nothing | {"maker": text(fees.maker), "taker": text(fees.taker)},
        "specialCommission": nothing,
        "taxCommission": nothing,
        "discount": {
            "enabledForAccount": fees.in_bnb,
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": "0.75000000",
        },
    }


def order_counts(call: Call) -> Any:
    """GET /api/v3/rateLimit/order."""
    return call.account.order_limit.told(call.now)


def order(call: Call) -> Any:
    """GET /api/v3/order."""
    return wire.queried(call.find_order())


def open_orders(call: Call) -> Any:
    """GET /api/v3/openOrders."""
    return [wire.queried(found) for found in call.books.open_orders(call.optional_symbol())]


def all_orders(call: Call) -> Any:
    """GET /api/v3/allOrders."""
    symbol, first = call.symbol(), whole(call.parameters, "orderId")
    found = [order for order in call.books.orders.values() if order.wanted.symbol == symbol]
    found = [order for order in found if _within(call, order.time)]
    if first is None:
        return [wire.queried(order) for order in found[-call.limit(500, 1000) :]]
    return [wire.queried(order) for order in found if order.id >= first][: call.limit(500, 1000)]


def trades(call: Call) -> Any:
    """GET /api/v3/myTrades."""
    symbol, order_id = call.symbol(), whole(call.parameters, "orderId")
    first, limit = whole(call.parameters, "fromId"), call.limit(500, 1000)
    found = [trade for trade in call.books.trades if trade.symbol == symbol and _within(call, trade.time)]
    if order_id is not None:
        found = [trade for trade in found if trade.order_id == order_id]
    if first is not None:
        found = [trade for trade in found if trade.id >= first]
    newest = first is None and "startTime" not in call.parameters
    return [wire.traded(trade) for trade in (found[-limit:] if newest else found[:limit])]


def restrictions(call: Call) -> Any:
    """GET /sapi/v1/account/apiRestrictions."""
    return call.account.restrictions


def trade_fees(call: Call) -> Any:
    """GET /sapi/v1/asset/tradeFee."""
    asked, fees = call.optional_symbol(), call.exchange.fees
    names = [asked] if asked else list(call.symbols)
    return [
        {"symbol": name, "makerCommission": f"{fees.maker:f}", "takerCommission": f"{fees.taker:f}"} for name in names
    ]


def _within(call: Call, time: int) -> bool:
    start, end = whole(call.parameters, "startTime"), whole(call.parameters, "endTime")
    if start is not None and end is not None and end - start > 86_400_000:
        raise Refusal(-1127, "More than 24 hours between startTime and endTime.")
    return (start is None or time >= start) and (end is None or time <= end)
