"""The messages of the user data stream. An optional field is there only where the venue's documents say so."""

from typing import Any

from tests.venues.binance.amounts import ZERO, text
from tests.venues.binance.ledger import Ledger
from tests.venues.binance.orders import Order, OrderList, Trade
from tests.venues.binance.refusal import Refusal

Event = dict[str, Any]
_REASONS = {
    "Account has insufficient balance for requested action.": "INSUFFICIENT_BALANCES",
    "Order would trigger immediately.": "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
    "Order would immediately match and take.": "WOULD_MATCH_IMMEDIATELY",
}


def reason(refusal: Refusal) -> str:
    """What the stream calls a refusal."""
    return _REASONS.get(refusal.msg, "UNKNOWN")


def execution_report(order: Order, kind: str, now: int, trade: Trade | None = None, cancel_id: str = "") -> Event:
    """What happened to an order: `kind` is the execution type, `cancel_id` the id that the cancel request had."""
    wanted = order.wanted
    told: Event = {
        "e": "executionReport",
        "E": now,
        "s": wanted.symbol,
        "c": cancel_id or wanted.client_id,
        "S": wanted.side,
        "o": wanted.type,
        "f": wanted.tif,
        "q": text(order.qty),
        "p": text(wanted.price),
        "P": text(wanted.stop),
        "F": text(ZERO),
        "g": order.list_id,
        "C": wanted.client_id if cancel_id else "",
        "x": kind,
        "X": order.status,
        "r": "NONE",
        "i": order.id,
        "l": text(trade.qty if trade else ZERO),
        "z": text(order.filled),
        "L": text(trade.price if trade else ZERO),
        "n": text(trade.commission) if trade else "0",
        "N": trade.commission_asset if trade else None,
        "T": now,
        "t": trade.id if trade else -1,
        "I": order.id * 2 + 1,
        "w": order.open and order.working,
        "m": trade.maker if trade else False,
        "M": trade is not None,
        "O": order.time,
        "Z": text(order.quote_filled),
        "Y": text(trade.quote if trade else ZERO),
        "Q": text(wanted.quote_qty),
        "V": "NONE",
    }
    if order.working_time >= 0:
        told["W"] = order.working_time
    return told


def account_position(ledger: Ledger, assets: list[str], now: int) -> Event:
    """The balances that may have changed."""
    balances = [{"a": asset, "f": text(ledger.free(asset)), "l": text(ledger.locked(asset))} for asset in assets]
    return {"e": "outboundAccountPosition", "E": now, "u": now, "B": balances}


def list_status(listed: OrderList, legs: list[Order], now: int) -> Event:
    """What has become of an order list."""
    return {
        "e": "listStatus",
        "E": now,
        "s": listed.symbol,
        "g": listed.id,
        "c": "OCO",
        "l": listed.status,
        "L": listed.order_status,
        "r": "NONE",
        "C": listed.client_id,
        "T": now,
        "O": [{"s": leg.wanted.symbol, "i": leg.id, "c": leg.wanted.client_id} for leg in legs],
    }
