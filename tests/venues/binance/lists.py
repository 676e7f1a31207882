"""Requests about order lists, which here are OCOs: of two orders one cancels the other."""

from collections.abc import Mapping
from typing import Any

from tests.venues.binance import wire
from tests.venues.binance.call import Call
from tests.venues.binance.orders import OrderList, Wanted
from tests.venues.binance.parameters import client_id_of, needed, wanted_of, whole
from tests.venues.binance.refusal import Refusal, not_cancelled, rejected
from tests.venues.binance.trading import may_trade

LEG = ("Type", "ClientOrderId", "Price", "StopPrice", "TimeInForce")
OCO = {"symbol", "side", "quantity", "listClientOrderId", "newOrderRespType", "selfTradePreventionMode"} | {
    leg + name for leg in ("above", "below") for name in LEG
}
OLD_OCO = {
    "symbol",
    "side",
    "quantity",
    "price",
    "stopPrice",
    "stopLimitPrice",
    "stopLimitTimeInForce",
    "listClientOrderId",
    "limitClientOrderId",
    "stopClientOrderId",
    "newOrderRespType",
    "selfTradePreventionMode",
}
_WRONG_PLACE = {
    ("BUY", "above", "LIMIT_MAKER"): Refusal(-1165, "A limit order in a buy OCO must be below."),
    ("SELL", "below", "LIMIT_MAKER"): Refusal(-1166, "A limit order in a sell OCO must be above."),
    ("BUY", "below", "STOP_LOSS"): Refusal(-1196, "A stop loss order in a buy OCO must be above."),
    ("SELL", "above", "STOP_LOSS"): Refusal(-1197, "A stop loss order in a sell OCO must be below."),
    ("BUY", "above", "TAKE_PROFIT"): Refusal(-1198, "A take profit order in a buy OCO must be below."),
    ("SELL", "below", "TAKE_PROFIT"): Refusal(-1199, "A take profit order in a sell OCO must be above."),
}


def place(call: Call) -> Any:
    """POST /api/v3/orderList/oco."""
    above, below = _leg(call, "above"), _leg(call, "below")
    if above.type == below.type == "LIMIT_MAKER":
        raise Refusal(-1168, "At least one OCO order must be contingent.")
    return _accept(call, above, below)


def place_old(call: Call) -> Any:
    """POST /api/v3/order/oco, the older form: a LIMIT_MAKER and a stop."""
    limit = {"symbol", "side", "quantity", "price"}
    first = {name: value for name, value in call.parameters.items() if name in limit} | {"type": "LIMIT_MAKER"}
    second = {name: value for name, value in call.parameters.items() if name in limit - {"price"}}
    second |= {"type": "STOP_LOSS", "stopPrice": needed(call.parameters, "stopPrice")}
    if "stopLimitPrice" in call.parameters:
        tif = needed(call.parameters, "stopLimitTimeInForce")
        second |= {"type": "STOP_LOSS_LIMIT", "price": call.parameters["stopLimitPrice"], "timeInForce": tif}
    for order, name in ((first, "limitClientOrderId"), (second, "stopClientOrderId")):
        if name in call.parameters:
            order["newClientOrderId"] = call.parameters[name]
    legs = [wanted_of(order, call.symbols, call.made_id()) for order in (first, second)]
    above, below = reversed(legs) if legs[0].buys else legs
    return _accept(call, above, below)


def cancel(call: Call) -> Any:
    """DELETE /api/v3/orderList."""
    may_trade(call)
    found = _find(call)
    cancel_id = client_id_of(call.parameters, "newClientOrderId", call.made_id())
    legs = [call.exchange.books.orders[id_] for id_ in found.orders] if found else []
    still_open = [leg for leg in legs if leg.open]
    if found is None or not still_open:
        raise not_cancelled()
    call.exchange.cancel(still_open[0], cancel_id)
    reports = [wire.cancelled(leg, cancel_id) for leg in legs]
    return wire.listed(found, call.exchange.books) | {"orderReports": reports}


def query(call: Call) -> Any:
    """GET /api/v3/orderList."""
    found = _find(call)
    if found is None:
        raise Refusal(-2018, "Order list does not exist.")
    return wire.listed(found, call.books)


def all_lists(call: Call) -> Any:
    """GET /api/v3/allOrderList."""
    return [wire.listed(found, call.books) for found in call.books.lists.values()][-call.limit(500, 1000) :]


def open_lists(call: Call) -> Any:
    """GET /api/v3/openOrderList."""
    return [wire.listed(found, call.books) for found in call.books.lists.values() if found.status != "ALL_DONE"]


def _leg(call: Call, where: str) -> Wanted:
    sent: Mapping[str, str] = call.parameters
    kind, side = needed(sent, where + "Type"), needed(sent, "side")
    if kind in ("MARKET", "LIMIT"):
        raise Refusal(-1158, "Order type not supported in OCO.")
    wrong = _WRONG_PLACE.get((side, where, kind.removesuffix("_LIMIT")))
    if wrong is not None:
        raise wrong
    order = {name: sent[name] for name in ("symbol", "side", "quantity") if name in sent} | {"type": kind}
    own = {
        "ClientOrderId": "newClientOrderId",
        "Price": "price",
        "StopPrice": "stopPrice",
        "TimeInForce": "timeInForce",
    }
    order |= {name: sent[where + suffix] for suffix, name in own.items() if where + suffix in sent}
    return wanted_of(order, call.symbols, call.made_id())


def _accept(call: Call, above: Wanted, below: Wanted) -> Any:
    may_trade(call)
    if not call.symbols[above.symbol].oco:
        raise rejected("OCO orders are not supported for this symbol")
    last = call.exchange.quotes(above.symbol).bid
    if not (above.stop or above.price) > last > (below.stop or below.price):
        raise rejected("The relationship of the prices for the orders is not correct.")
    client_id = client_id_of(call.parameters, "listClientOrderId", call.made_id())
    if above.client_id == below.client_id:
        raise rejected("Duplicate order sent.")
    call.headers |= call.account.order_limit.count(2, call.now)
    accepted = call.exchange.place_oco(above, below, client_id)
    books = call.exchange.books
    reports = [wire.placed(books.orders[id_], "RESULT") for id_ in accepted.orders]
    return wire.listed(accepted, books) | {"orderReports": reports}


def _find(call: Call) -> OrderList | None:
    list_id = whole(call.parameters, "orderListId")
    client_id = call.parameters.get("listClientOrderId", call.parameters.get("origClientOrderId"))
    if list_id is None and not client_id:
        raise Refusal(-1102, "Param 'origClientOrderId' or 'orderListId' must be sent, but both were empty/null!")
    for found in reversed(call.books.lists.values()):
        if found.id == list_id or (list_id is None and found.client_id == client_id):
            return found
    return None
