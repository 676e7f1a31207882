"""The unmodified ccxt works with the Binance test server, over REST and by its streams."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.venues.binance.account import harmless
from tests.venues.binance.ccxt_client import ccxt_client
from tests.venues.binance.server import BinanceServer
from tests.venues.faults import Fault
from tests.venues.market import candle

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SYMBOL = "BTC/USDT"


@pytest.fixture
async def server() -> AsyncIterator[BinanceServer]:
    async with BinanceServer() as server:
        server.account.fund(USDT="1000", BTC="2", BNB="0")
        await server.market.play(candle("BTCUSDT", START, "100"))
        yield server


@pytest.fixture
async def client(server: BinanceServer) -> AsyncIterator[Any]:
    client = ccxt_client(server)
    await client.load_markets()
    yield client
    await client.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def listening(server: BinanceServer) -> None:
    await until(lambda: server.publishing.subscribers or any(found.streams for found in server.publishing.listeners))


async def test_loading_the_markets_asks_for_the_rules_and_nothing_else(server: BinanceServer, client: Any) -> None:
    assert [request.name for request in server.requests] == ["GET /api/v3/exchangeInfo"]
    market = client.market(SYMBOL)
    assert (market["precision"]["amount"], market["precision"]["price"]) == (0.00001, 0.01)
    assert market["limits"]["cost"]["min"] == 5


async def test_a_market_order_is_filled_and_read_again(client: Any) -> None:
    placed = await client.create_order(SYMBOL, "market", "buy", 0.5, None, {"clientOrderId": "mine-1"})
    assert (placed["status"], placed["filled"], placed["average"]) == ("closed", 0.5, 100.01)
    assert (await client.fetch_balance())["BTC"] == {"free": 2.4995, "used": 0.0, "total": 2.4995}
    found = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "mine-1"})
    assert (found["id"], found["status"]) == (placed["id"], "closed")
    trade = (await client.fetch_my_trades(SYMBOL))[0]
    assert (trade["order"], trade["fee"]) == (placed["id"], {"currency": "BTC", "cost": 0.0005})


async def test_a_price_given_to_a_market_buy_makes_it_an_amount_of_money(server: BinanceServer, client: Any) -> None:
    await client.create_order(SYMBOL, "market", "buy", 0.5, 100)
    assert server.requests[-1].parameters["quoteOrderQty"] == "50"


async def test_limit_and_stop_orders_rest_and_are_cancelled(client: Any) -> None:
    limit = await client.create_order(SYMBOL, "limit", "buy", 1, 95)
    stop = await client.create_order(SYMBOL, "limit", "sell", 1, 89, {"stopLossPrice": 90})
    assert stop["info"]["type"] == "STOP_LOSS_LIMIT"
    opened = await client.fetch_open_orders(SYMBOL)
    assert [(order["id"], order["status"]) for order in opened] == [(limit["id"], "open"), (stop["id"], "open")]
    for order in opened:
        assert (await client.cancel_order(order["id"], SYMBOL))["status"] == "canceled"
    assert await client.fetch_open_orders(SYMBOL) == []


async def test_linked_orders_are_placed_by_the_venues_own_request(client: Any) -> None:
    asked = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "1",
        "aboveType": "LIMIT_MAKER",
        "abovePrice": "110",
        "belowType": "STOP_LOSS_LIMIT",
        "belowStopPrice": "90",
        "belowPrice": "89",
        "belowTimeInForce": "GTC",
    }
    placed = await client.privatePostOrderListOco(asked)
    assert placed["listOrderStatus"] == "EXECUTING"
    assert len(await client.fetch_open_orders(SYMBOL)) == 2
    await client.privateDeleteOrderList({"symbol": "BTCUSDT", "orderListId": placed["orderListId"]})
    assert await client.fetch_open_orders(SYMBOL) == []


async def test_an_order_is_replaced(client: Any) -> None:
    old = await client.create_order(SYMBOL, "limit", "buy", 1, 95)
    new = await client.edit_order(old["id"], SYMBOL, "limit", "buy", 1, 94)
    assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [new["id"]]


async def test_a_market_order_that_exhausts_the_book_is_expired_with_its_fills(
    server: BinanceServer, client: Any
) -> None:
    server.venue.symbols["BTCUSDT"].liquidity = Decimal("0.4")
    placed = await client.create_order(SYMBOL, "market", "buy", 1)
    assert (placed["status"], placed["filled"]) == ("expired", 0.4)


async def test_history_and_quotes_are_read(server: BinanceServer, client: Any) -> None:
    await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "100", "110", "90", "105"))
    rows = await client.fetch_ohlcv(SYMBOL, "1m")
    assert [row[1:5] for row in rows] == [[100, 100, 100, 100], [100, 110, 90, 105]]
    ticker = await client.fetch_ticker(SYMBOL)
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (105, 105.01, 105)
    book = await client.fetch_order_book(SYMBOL)
    assert (book["bids"][0][0], book["asks"][0][0]) == (105, 105.01)


async def test_the_keys_permissions_are_read(server: BinanceServer, client: Any) -> None:
    server.account.restrictions = harmless() | {"enableWithdrawals": True}
    assert (await client.sapiGetAccountApiRestrictions())["enableWithdrawals"] is True
    assert (await client.fetch_status())["status"] == "ok"
    assert (await client.fetch_trading_fee(SYMBOL))["taker"] == 0.001


async def test_a_venue_without_these_paths_says_not_found(server: BinanceServer, client: Any) -> None:
    server.account.restrictions = None
    with pytest.raises(ccxt.ExchangeNotAvailable, match="404"):
        await client.sapiGetAccountApiRestrictions()


async def test_a_server_error_can_be_no_network_error_although_the_order_was_executed(
    server: BinanceServer, client: Any
) -> None:
    server.faults.next(Fault.SERVER_ERROR_EXECUTED, "POST /api/v3/order", times=3)
    errors = []
    for _ in range(3):
        with pytest.raises(ccxt.OperationFailed) as caught:
            await client.create_order(SYMBOL, "market", "buy", 1)
        errors.append(caught.type)
    assert errors == [ccxt.RequestTimeout, ccxt.ExchangeNotAvailable, ccxt.OperationFailed]
    assert len(server.account.exchange.books.trades) == 3


async def test_a_cancels_answer_names_the_cancel_request_where_an_order_names_itself(client: Any) -> None:
    await client.create_order(SYMBOL, "limit", "buy", 1, 95, {"clientOrderId": "mine"})
    cancelled = await client.cancel_order(None, SYMBOL, {"clientOrderId": "mine"})
    assert cancelled["clientOrderId"] != "mine"
    assert cancelled["info"]["origClientOrderId"] == "mine"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("market", "buy", 100), ccxt.InsufficientFunds),
        (("limit", "buy", 0.01, 95), ccxt.InvalidOrder),
        (("limit", "buy", 1, 1), ccxt.InvalidOrder),
    ],
)
async def test_refusals_arrive_as_errors(client: Any, arguments: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises((error, ccxt.ExchangeError)):
        await client.create_order(SYMBOL, *arguments)


async def test_an_unknown_order_is_not_found(client: Any) -> None:
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order("7", SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order("7", SYMBOL)


@pytest.mark.parametrize(
    ("fault", "error", "executed"),
    [
        (Fault.REQUEST_LOST, ccxt.NetworkError, False),
        (Fault.ANSWER_LOST, ccxt.NetworkError, True),
        (Fault.SERVER_ERROR, ccxt.RequestTimeout, False),
        (Fault.SERVER_ERROR_EXECUTED, ccxt.RequestTimeout, True),
        (Fault.TOO_MANY_REQUESTS, ccxt.DDoSProtection, False),
        (Fault.BANNED, ccxt.DDoSProtection, False),
        (Fault.CLOCK, ccxt.InvalidNonce, False),
    ],
)
async def test_trouble_with_an_order_arrives_as_an_error_that_does_not_tell_whether_it_was_executed(
    server: BinanceServer, client: Any, fault: Fault, error: type[Exception], executed: bool
) -> None:
    server.faults.next(fault, "POST /api/v3/order")
    with pytest.raises(error):
        await client.create_order(SYMBOL, "market", "buy", 1)
    assert bool(server.account.exchange.books.trades) is executed


async def test_a_cancel_whose_answer_is_lost_is_repeated_by_the_client_and_not_found(
    server: BinanceServer, client: Any
) -> None:
    placed = await client.create_order(SYMBOL, "limit", "buy", 1, 95)
    server.faults.next(Fault.ANSWER_LOST, "DELETE /api/v3/order")
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(placed["id"], SYMBOL)
    assert (await client.fetch_order(placed["id"], SYMBOL))["status"] == "canceled"


async def test_answers_of_tomorrow_are_understood(server: BinanceServer, client: Any) -> None:
    server.faults.rate(Fault.UNKNOWN_FIELDS, 1)
    await client.load_markets(True)
    placed = await client.create_order(SYMBOL, "limit", "buy", 1, 95)
    server.faults.clear()
    server.faults.rate(Fault.MISSING_FIELDS, 1)
    assert (await client.fetch_order(placed["id"], SYMBOL))["status"] == "open"


async def test_candles_are_watched(server: BinanceServer, client: Any) -> None:
    watched = asyncio.create_task(client.watch_ohlcv(SYMBOL, "1m"))
    await listening(server)
    await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "100", "110", "90", "105"))
    opened = int((START + timedelta(minutes=1)).timestamp() * 1000)
    await asyncio.wait_for(watched, 20)
    await until(lambda: client.ohlcvs[SYMBOL]["1m"][-1] == [opened, 100, 110, 90, 105, 4])


async def test_quotes_are_watched(server: BinanceServer, client: Any) -> None:
    watched = asyncio.create_task(client.watch_ticker(SYMBOL))
    await listening(server)
    await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "101"))
    assert (await asyncio.wait_for(watched, 20))["last"] == 101


async def test_orders_trades_and_balances_are_watched(server: BinanceServer, client: Any) -> None:
    watched = [
        asyncio.create_task(watch)
        for watch in (client.watch_orders(SYMBOL), client.watch_my_trades(SYMBOL), client.watch_balance())
    ]
    await listening(server)
    placed = await client.create_order(SYMBOL, "limit", "sell", 1, 110)
    await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "110"))
    orders, trades, _ = await asyncio.wait_for(asyncio.gather(*watched), 20)
    await until(lambda: client.orders.hashmap[SYMBOL][placed["id"]]["status"] == "closed")
    assert [order["id"] for order in orders] == [placed["id"]]
    assert (trades[0]["order"], trades[0]["fee"]) == (placed["id"], {"currency": "USDT", "cost": 0.11})
    await until(lambda: client.balance["spot"]["BTC"]["total"] == 1)


async def test_a_cut_stream_raises_and_the_next_call_subscribes_again(server: BinanceServer, client: Any) -> None:
    watched = asyncio.create_task(client.watch_orders(SYMBOL))
    await listening(server)
    server.cut_streams()
    with pytest.raises(ccxt.NetworkError):
        await asyncio.wait_for(watched, 20)
    await until(lambda: not server.publishing.subscribers)
    again = asyncio.create_task(client.watch_orders(SYMBOL))
    await listening(server)
    await client.create_order(SYMBOL, "limit", "buy", 1, 95)
    assert (await asyncio.wait_for(again, 20))[0]["status"] == "open"


async def test_an_order_is_placed_and_cancelled_over_the_websocket(server: BinanceServer, client: Any) -> None:
    placed = await asyncio.wait_for(client.create_order_ws(SYMBOL, "limit", "buy", 1, 95), 20)
    assert placed["status"] == "open"
    assert (await asyncio.wait_for(client.cancel_order_ws(placed["id"], SYMBOL), 20))["status"] == "canceled"
