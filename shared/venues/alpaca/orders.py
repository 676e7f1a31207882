"""Our orders in Alpaca's words, and Alpaca's words about them in ours.

Sources: "Placing Orders", "Crypto Orders", "Fractional Trading", "Websocket Streaming" and "Account Activities".

A trade is named by its order and by how much of the order it brought the filled quantity to. A trade update carries an
`execution_id` and an activity an `id` of its own, and no document says that they are the same; both tell the filled
quantity right after the trade (`order.filled_qty`, `cum_qty`), and no two trades of an order leave it at the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.schemas.orders import Ticket
from shared.schemas.values import OrderType, TimeInForce, plain
from shared.venues.alpaca.errors import NAME
from shared.venues.alpaca.fees import Rates, fee_of, liquidity
from shared.venues.alpaca.symbols import is_pair
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Executed, Shown, Standing, Word

_STANDINGS: Mapping[str, Standing] = {
    "filled": "filled",
    "canceled": "cancelled",
    "replaced": "cancelled",
    "expired": "expired",
    "rejected": "rejected",
}
"""Every other status, those of tomorrow included, is one of an order that may still trade."""
_FILLS = frozenset({"fill", "partial_fill"})
_CORRECTED = frozenset({"trade_bust", "trade_correct"})


def request_of(ticket: Ticket) -> dict[str, str | bool]:
    """The body of `POST /v2/orders`; VenueError for an order that Alpaca has not."""
    request: dict[str, str | bool] = {
        "symbol": ticket.symbol,
        "side": ticket.side.value,
        "type": ticket.type.value,
        "qty": plain(ticket.qty),
        "time_in_force": _lasting(ticket).value,
        "client_order_id": ticket.client_order_id,
    }
    if ticket.price is not None:
        request["limit_price"] = plain(ticket.price)
    if ticket.stop_price is not None:
        request["stop_price"] = plain(ticket.stop_price)
    if ticket.extended_hours:
        request |= {"extended_hours": True, "time_in_force": TimeInForce.DAY.value}
    return request


def _lasting(ticket: Ticket) -> TimeInForce:
    """How long the order stands there: a pair trades around the clock, a part of a share within the day only."""
    asked = ticket.time_in_force
    if is_pair(ticket.symbol):
        if ticket.type is OrderType.STOP:
            raise _refused(f"{ticket.symbol}: pairs have no stop orders; set orders.stop = 'stop_limit'")
        if asked is TimeInForce.FOK:
            raise _refused(f"{ticket.symbol}: pairs have no fill or kill; they stand (gtc) or are immediate (ioc)")
        return TimeInForce.GTC if asked is TimeInForce.DAY else asked
    in_parts = ticket.qty % 1 != 0
    if asked in (TimeInForce.IOC, TimeInForce.FOK):
        if in_parts or ticket.stop_price is not None:
            raise _refused(f"{ticket.symbol}: {asked} is for market and limit orders of whole shares only")
        return asked
    return TimeInForce.DAY if in_parts or ticket.type is OrderType.MARKET else asked


def answered(ticket: Ticket, order: Mapping[str, Any]) -> Sequence[Word]:
    """What the answer to an order says: that it arrived. Its trades are told by stream and by activities."""
    standing = _standing(order)
    return (Shown(ticket.client_order_id, order["id"], standing if standing == "rejected" else "working", Decimal(0)),)


def shown(order: Mapping[str, Any], activities: Iterable[Mapping[str, Any]], rates: Rates) -> Sequence[Word]:
    """What a look at the order and at its trades says."""
    name, venue_id, standing = order["client_order_id"], order["id"], _standing(order)
    if standing == "rejected":
        return (Shown(name, venue_id, standing, Decimal(order["filled_qty"])),)
    fills = tuple(_executed(order, each, each["transaction_time"], each["cum_qty"], rates) for each in activities)
    arrived = Shown(name, venue_id, "working", Decimal(0))
    if standing == "working":
        return (arrived, *fills)
    return (arrived, *fills, Shown(name, venue_id, standing, Decimal(order["filled_qty"])))


def reported(update: Mapping[str, Any], rates: Rates) -> Sequence[Word]:
    """What a trade update says."""
    order = update["order"]
    reason = str(update.get("reason") or ("replaced" if order["status"] == "replaced" else ""))
    state = Shown(order["client_order_id"], order["id"], _standing(order), _number(order["filled_qty"]), reason)
    if not is_trade(update):
        return (state,)
    return (_executed(order, update, update["timestamp"], order["filled_qty"], rates), state)


def traded(order: Mapping[str, Any], activity: Mapping[str, Any], rates: Rates) -> Executed:
    """One of the account's trades, which belongs to `order`."""
    return _executed(order, activity, activity["transaction_time"], activity["cum_qty"], rates)


def is_trade(update: Mapping[str, Any]) -> bool:
    """Whether a trade update tells a trade."""
    return update["event"] in _FILLS


def is_correction(update: Mapping[str, Any]) -> bool:
    """Whether a trade update takes a trade back that was told before."""
    return update["event"] in _CORRECTED


def filled_by(update: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """How much of its order was filled before the trade that an update tells, and after it."""
    after = _number(update["order"]["filled_qty"])
    return after - _number(update["qty"]), after


def _executed(order: Mapping[str, Any], trade: Mapping[str, Any], at: str, filled: Any, rates: Rates) -> Executed:
    qty, price, bought = _number(trade["qty"]), _number(trade["price"]), order["side"] == "buy"
    kind = liquidity(order["type"], datetime.fromisoformat(order["submitted_at"]), datetime.fromisoformat(at))
    fee = fee_of(order["symbol"], qty, price, getattr(rates, kind), bought=bought)
    trade_id = f"{order['id']}@{plain(_number(filled).normalize())}"
    return Executed(order["client_order_id"], trade_id, qty, price, fee.amount, fee.asset, kind)


def _standing(order: Mapping[str, Any]) -> Standing:
    return _STANDINGS.get(order["status"], "working")


def _number(told: Any) -> Decimal:
    """Amounts are texts; where they come as numbers of JSON, their text is what was written."""
    return Decimal(str(told))


def _refused(reason: str) -> VenueError:
    return VenueError(NAME, Fate.REFUSED, reason)
