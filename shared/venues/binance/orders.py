"""Our orders in Binance's words, and Binance's words about them in ours.

Sources: "Trading endpoints" and "User Data Streams" of Binance's spot documentation.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.schemas.orders import Ticket
from shared.schemas.values import OrderType, TimeInForce, plain
from shared.venues.words import Executed, Shown, Standing, Word

TYPES: Mapping[OrderType, str] = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
}
STANDINGS: Mapping[str, Standing] = {
    "NEW": "working",
    "PENDING_NEW": "working",
    "PARTIALLY_FILLED": "working",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}
_NO_REASON = frozenset({"", "NONE"})


def request_of(ticket: Ticket) -> dict[str, str]:
    """The parameters of `POST /api/v3/order`; the good-till-day that Binance has not is good till cancelled there."""
    request = {
        "symbol": ticket.symbol,
        "side": ticket.side.upper(),
        "type": TYPES[ticket.type],
        "quantity": plain(ticket.qty),
        "newClientOrderId": ticket.client_order_id,
        "newOrderRespType": "FULL",
    }
    if ticket.stop_price is not None:
        request["stopPrice"] = plain(ticket.stop_price)
    if ticket.price is not None:
        lasting = TimeInForce.GTC if ticket.time_in_force is TimeInForce.DAY else ticket.time_in_force
        request |= {"price": plain(ticket.price), "timeInForce": lasting.upper()}
    return request


def answered(ticket: Ticket, answer: Mapping[str, Any]) -> Sequence[Word]:
    """What the answer to an order says: that it arrived, what filled at once, and how it stands now."""
    name, venue_id = ticket.client_order_id, str(answer["orderId"])
    fills = tuple(
        Executed(
            name,
            str(fill["tradeId"]),
            Decimal(fill["qty"]),
            Decimal(fill["price"]),
            Decimal(fill["commission"]),
            fill["commissionAsset"],
            "taker",
        )
        for fill in answer.get("fills", ())
    )
    return _told(name, venue_id, STANDINGS[answer.get("status", "NEW")], answer.get("executedQty", "0"), fills)


def shown(ticket: Ticket, order: Mapping[str, Any], trades: Iterable[Mapping[str, Any]]) -> Sequence[Word]:
    """What a look at the order and at its trades says."""
    name = ticket.client_order_id
    fills = tuple(traded(name, trade) for trade in trades)
    return _told(name, str(order["orderId"]), STANDINGS[order["status"]], order["executedQty"], fills)


def traded(name: str, trade: Mapping[str, Any]) -> Executed:
    """An execution of the order called `name`, as `myTrades` lists it."""
    return Executed(
        name,
        str(trade["id"]),
        Decimal(trade["qty"]),
        Decimal(trade["price"]),
        Decimal(trade["commission"]),
        trade["commissionAsset"],
        "maker" if trade["isMaker"] else "taker",
    )


def _told(name: str, venue_id: str, standing: Standing, filled: str, fills: Sequence[Executed]) -> Sequence[Word]:
    arrived = Shown(name, venue_id, "working", Decimal(0))
    if standing == "working":
        return (arrived, *fills)
    if standing == "rejected":
        return (Shown(name, venue_id, standing, Decimal(filled)),)
    return (arrived, *fills, Shown(name, venue_id, standing, Decimal(filled)))


def reported(message: Mapping[str, Any]) -> Sequence[Word]:
    """What an `executionReport` says. A cancel's report names the order in `C` and the cancel itself in `c`."""
    name = message.get("C") or message["c"]
    standing = STANDINGS.get(message["X"], "working")
    state = Shown(name, str(message["i"]), standing, Decimal(message["z"]), _reason(message))
    if message["x"] != "TRADE":
        return (state,)
    fill = Executed(
        name,
        str(message["t"]),
        Decimal(message["l"]),
        Decimal(message["L"]),
        Decimal(message["n"]),
        message["N"] or "",
        "maker" if message["m"] else "taker",
    )
    return (fill, state)


def _reason(message: Mapping[str, Any]) -> str:
    told = str(message.get("r", ""))
    return "" if told in _NO_REASON else told
