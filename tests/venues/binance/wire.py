"""What the venue answers about orders, trades and accounts, field by field as its documents list them."""

from typing import Any

from tests.venues.binance.amounts import ZERO, text
from tests.venues.binance.books import Books
from tests.venues.binance.fees import Fees
from tests.venues.binance.ledger import Ledger
from tests.venues.binance.orders import STOPS, Order, OrderList, Trade

Json = dict[str, Any]


def placed(order: Order, style: str) -> Json:
    """The answer to a new order: ACK, RESULT or FULL."""
    told: Json = {
        "symbol": order.wanted.symbol,
        "orderId": order.id,
        "orderListId": order.list_id,
        "clientOrderId": order.wanted.client_id,
        "transactTime": order.updated,
    }
    if style == "ACK":
        return told
    told |= _state(order) | {"workingTime": order.working_time, "selfTradePreventionMode": "NONE"}
    if order.wanted.type in STOPS:
        told["stopPrice"] = text(order.wanted.stop)
    return told | {"fills": [_fill(trade) for trade in order.trades]} if style == "FULL" else told


def queried(order: Order) -> Json:
    """An order as it is when asked for."""
    return {
        "symbol": order.wanted.symbol,
        "orderId": order.id,
        "orderListId": order.list_id,
        "clientOrderId": order.wanted.client_id,
        **_state(order),
        "stopPrice": text(order.wanted.stop),
        "icebergQty": text(ZERO),
        "time": order.time,
        "updateTime": order.updated,
        "isWorking": order.working,
        "workingTime": order.working_time,
        "selfTradePreventionMode": "NONE",
    }


def cancelled(order: Order, cancel_id: str) -> Json:
    """The answer to a cancel request that had that id."""
    told: Json = {
        "symbol": order.wanted.symbol,
        "origClientOrderId": order.wanted.client_id,
        "orderId": order.id,
        "orderListId": order.list_id,
        "clientOrderId": cancel_id,
        "transactTime": order.updated,
        **_state(order),
        "selfTradePreventionMode": "NONE",
    }
    return told | {"stopPrice": text(order.wanted.stop)} if order.wanted.type in STOPS else told


def listed(order_list: OrderList, books: Books) -> Json:
    """An order list, without the state of its orders."""
    legs = [books.orders[id_] for id_ in order_list.orders]
    return {
        "orderListId": order_list.id,
        "contingencyType": "OCO",
        "listStatusType": order_list.status,
        "listOrderStatus": order_list.order_status,
        "listClientOrderId": order_list.client_id,
        "transactionTime": order_list.time,
        "symbol": order_list.symbol,
        "orders": [
            {"symbol": leg.wanted.symbol, "orderId": leg.id, "clientOrderId": leg.wanted.client_id} for leg in legs
        ],
    }


def traded(trade: Trade) -> Json:
    """One of the account's trades."""
    return {
        "symbol": trade.symbol,
        "id": trade.id,
        "orderId": trade.order_id,
        "orderListId": trade.list_id,
        "price": text(trade.price),
        "qty": text(trade.qty),
        "quoteQty": text(trade.quote),
        "commission": text(trade.commission),
        "commissionAsset": trade.commission_asset,
        "time": trade.time,
        "isBuyer": trade.side == "BUY",
        "isMaker": trade.maker,
        "isBestMatch": True,
    }


def account(ledger: Ledger, fees: Fees, can_trade: bool, can_withdraw: bool, now: int) -> Json:
    """The account with its balances."""
    points = {"maker": int(fees.maker * 10000), "taker": int(fees.taker * 10000)}
    return {
        "makerCommission": points["maker"],
        "takerCommission": points["taker"],
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": text(fees.maker),
            "taker": text(fees.taker),
            "buyer": text(ZERO),
            "seller": text(ZERO),
        },
        "canTrade": can_trade,
        "canWithdraw": can_withdraw,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": now,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": text(ledger.free(asset)), "locked": text(ledger.locked(asset))}
            for asset in ledger.total
        ],
        "permissions": ["SPOT"],
        "uid": 354937868,
    }


def _state(order: Order) -> Json:
    return {
        "price": text(order.wanted.price),
        "origQty": text(order.qty),
        "executedQty": text(order.filled),
        "origQuoteOrderQty": text(order.wanted.quote_qty),
        "cummulativeQuoteQty": text(order.quote_filled),
        "status": order.status,
        "timeInForce": order.wanted.tif,
        "type": order.wanted.type,
        "side": order.wanted.side,
    }


def _fill(trade: Trade) -> Json:
    return {
        "price": text(trade.price),
        "qty": text(trade.qty),
        "commission": text(trade.commission),
        "commissionAsset": trade.commission_asset,
        "tradeId": trade.id,
    }
