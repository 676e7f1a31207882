"""Requests that change something: orders placed, cancelled and replaced."""

from typing import Any

from tests.venues.binance import wire
from tests.venues.binance.call import Call
from tests.venues.binance.orders import Order
from tests.venues.binance.parameters import client_id_of, needed, wanted_of
from tests.venues.binance.refusal import Refusal, not_cancelled, rejected


def place(call: Call) -> Any:
    """POST /api/v3/order."""
    may_trade(call)
    wanted = wanted_of(call.parameters, call.symbols, call.made_id())
    default = "FULL" if wanted.type in ("MARKET", "LIMIT") else "ACK"
    style = call.parameters.get("newOrderRespType", default)
    if style not in ("ACK", "RESULT", "FULL"):
        raise Refusal(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    call.headers |= call.account.order_limit.count(1, call.now)
    return wire.placed(call.exchange.place(wanted), style)


def try_out(call: Call) -> Any:
    """POST /api/v3/order/test: checks the parameters and the filters, not the funds."""
    may_trade(call)
    call.exchange.check(wanted_of(call.parameters, call.symbols, call.made_id()))
    return {}


def cancel(call: Call) -> Any:
    """DELETE /api/v3/order."""
    may_trade(call)
    order = _to_cancel(call)
    cancel_id = client_id_of(call.parameters, "newClientOrderId", call.made_id())
    call.exchange.cancel(order, cancel_id)
    return _cancelled(call, order, cancel_id)


def cancel_all(call: Call) -> Any:
    """DELETE /api/v3/openOrders."""
    may_trade(call)
    found = call.exchange.books.open_orders(call.symbol())
    if not found:
        raise not_cancelled()
    answers = []
    for order in found:
        if order.open:
            cancel_id = call.made_id()
            call.exchange.cancel(order, cancel_id)
            answers.append(_cancelled(call, order, cancel_id))
    return answers


def replace(call: Call) -> Any:
    """POST /api/v3/order/cancelReplace."""
    may_trade(call)
    mode = needed(call.parameters, "cancelReplaceMode")
    if mode not in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
        raise Refusal(-1130, "Data sent for parameter 'cancelReplaceMode' is not valid.")
    wanted = wanted_of(call.parameters, call.symbols, call.made_id())
    cancel_answer = _tried(lambda: _cancel_first(call))
    answer: dict[str, Any] | Refusal | None = None
    if mode == "ALLOW_FAILURE" or not isinstance(cancel_answer, Refusal):
        call.headers |= call.account.order_limit.count(1, call.now)
        style = call.parameters.get("newOrderRespType", "FULL" if wanted.type in ("MARKET", "LIMIT") else "ACK")
        answer = _tried(lambda: wire.placed(call.exchange.place(wanted), style))
        if isinstance(answer, Refusal) and not isinstance(cancel_answer, Refusal):
            call.exchange.report_rejected(wanted, answer)
    return _told_of_replacing(cancel_answer, answer)


def _cancel_first(call: Call) -> dict[str, Any]:
    names = {"cancelOrderId": "orderId", "cancelOrigClientOrderId": "origClientOrderId"}
    chosen = {names[name]: value for name, value in call.parameters.items() if name in names}
    if not chosen:
        msg = "Param 'cancelOrigClientOrderId' or 'cancelOrderId' must be sent, but both were empty/null!"
        raise Refusal(-1102, msg)
    found = call.books.find(call.symbol(), _number(chosen.get("orderId")), chosen.get("origClientOrderId"))
    if found is None:
        raise not_cancelled()
    cancel_id = client_id_of(call.parameters, "cancelNewClientOrderId", call.made_id())
    call.exchange.cancel(found, cancel_id)
    return wire.cancelled(found, cancel_id)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _tried(attempt: Any) -> dict[str, Any] | Refusal:
    try:
        result: dict[str, Any] = attempt()
    except Refusal as refusal:
        return refusal
    return result


def _told_of_replacing(cancelling: dict[str, Any] | Refusal, placing: dict[str, Any] | Refusal | None) -> Any:
    told = {
        "cancelResult": "FAILURE" if isinstance(cancelling, Refusal) else "SUCCESS",
        "newOrderResult": _outcome(placing),
        "cancelResponse": cancelling.body() if isinstance(cancelling, Refusal) else cancelling,
        "newOrderResponse": placing.body() if isinstance(placing, Refusal) else placing,
    }
    if told["cancelResult"] == "SUCCESS" and told["newOrderResult"] == "SUCCESS":
        return told
    if "SUCCESS" in (told["cancelResult"], told["newOrderResult"]):
        raise Refusal(-2021, "Order cancel-replace partially failed.", 409, data=told)
    raise Refusal(-2022, "Order cancel-replace failed.", 400, data=told)


def _outcome(placing: dict[str, Any] | Refusal | None) -> str:
    if placing is None:
        return "NOT_ATTEMPTED"
    return "FAILURE" if isinstance(placing, Refusal) else "SUCCESS"


def _to_cancel(call: Call) -> Order:
    try:
        order = call.find_order()
    except Refusal as refusal:
        raise (not_cancelled() if refusal.code == -2013 else refusal) from None
    allowed = {"ONLY_NEW": "NEW", "ONLY_PARTIALLY_FILLED": "PARTIALLY_FILLED"}
    restriction = call.parameters.get("cancelRestrictions")
    if restriction is not None and restriction not in allowed:
        raise Refusal(-1145, "Invalid cancelRestrictions")
    if restriction and order.open and order.status != allowed[restriction]:
        raise not_cancelled("Order was not canceled due to cancel restrictions.")
    return order


def _cancelled(call: Call, order: Order, cancel_id: str) -> Any:
    if order.list_id < 0:
        return wire.cancelled(order, cancel_id)
    books = call.exchange.books
    reports = [wire.cancelled(leg, cancel_id) for leg in books.legs(order)]
    return wire.listed(books.lists[order.list_id], books) | {"orderReports": reports}


def may_trade(call: Call) -> None:
    """Refuse unless both the key and the account are allowed to trade."""
    if not call.account.may_trade():
        raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    if not call.account.can_trade:
        raise rejected("This account may not place or cancel orders.")
