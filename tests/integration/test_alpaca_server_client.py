"""The unmodified alpaca-py works with the Alpaca test server; its synchronous calls run in a thread."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests
from alpaca.common.exceptions import APIError
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.live import CryptoDataStream, StockDataStream
from alpaca.data.requests import CryptoBarsRequest, StockBarsRequest, StockLatestBarRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
)
from alpaca.trading.stream import TradingStream

from tests.venues.alpaca.server import START, AlpacaServer
from tests.venues.faults import Fault
from tests.venues.market import candle

MINUTE = timedelta(minutes=1)
SECONDS = 20


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer() as server:
        server.market.know(candle("AAPL", START + n * MINUTE, str(100 + n)) for n in range(-3, 1))
        server.market.know([candle("BTC/USD", START, "50000")])
        yield server


@pytest.fixture
def client(server: AlpacaServer) -> TradingClient:
    return TradingClient(server.key, server.secret, paper=True, url_override=server.url)


def buys(qty: float, name: str = "mine", symbol: str = "AAPL") -> MarketOrderRequest:
    time_in_force = TimeInForce.GTC if "/" in symbol else TimeInForce.DAY
    return MarketOrderRequest(
        symbol=symbol, qty=qty, side=OrderSide.BUY, time_in_force=time_in_force, client_order_id=name
    )


@asynccontextmanager
async def running(stream: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(stream._run_forever())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


def collecting(into: list[Any]) -> Callable[[Any], Awaitable[None]]:
    async def handler(message: Any) -> None:
        into.append(message)

    return handler


async def test_it_reads_account_clock_calendar_and_assets(client: TradingClient) -> None:
    account: Any = await asyncio.to_thread(client.get_account)
    clock: Any = await asyncio.to_thread(client.get_clock)
    days: Any = await asyncio.to_thread(client.get_calendar)
    asset: Any = await asyncio.to_thread(client.get_asset, "BTC%2FUSD")
    assets: Any = await asyncio.to_thread(client.get_all_assets)
    assert (account.status, account.buying_power, clock.is_open) == ("ACTIVE", "100000", True)
    assert (f"{days[0].open:%H:%M}", asset.min_order_size, len(assets)) == ("09:30", 0.0001, 6)


async def test_it_places_reads_replaces_and_cancels_orders(client: TradingClient) -> None:
    limit = LimitOrderRequest(
        symbol="AAPL", qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=90, client_order_id="a"
    )
    placed: Any = await asyncio.to_thread(client.submit_order, limit)
    new: Any = await asyncio.to_thread(client.replace_order_by_id, placed.id, ReplaceOrderRequest(limit_price=91))
    old: Any = await asyncio.to_thread(client.get_order_by_client_id, "a")
    assert (old.status, old.replaced_by, new.replaces) == ("replaced", new.id, placed.id)
    await asyncio.to_thread(client.cancel_order_by_id, new.id)
    with pytest.raises(APIError) as refused:
        await asyncio.to_thread(client.cancel_order_by_id, new.id)
    assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    everything = GetOrdersRequest(status=QueryOrderStatus.ALL)
    listed: Any = await asyncio.to_thread(client.get_orders, everything)
    assert {order.status.value for order in listed} == {"replaced", "canceled"}


async def test_crypto_received_is_less_than_ordered(client: TradingClient) -> None:
    await asyncio.to_thread(client.submit_order, buys(1, symbol="BTC/USD"))
    positions: Any = await asyncio.to_thread(client.get_all_positions)
    position = positions[0]
    assert (position.symbol, position.qty) == ("BTCUSD", "0.9975")
    await asyncio.to_thread(client.close_all_positions, cancel_orders=True)
    assert await asyncio.to_thread(client.get_all_positions) == []


async def test_a_bracket_leaves_one_exit_that_ends_the_other(server: AlpacaServer, client: TradingClient) -> None:
    bracket = MarketOrderRequest(
        symbol="AAPL",
        qty=2,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.GTC,
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfitRequest(limit_price=110),
        stop_loss=StopLossRequest(stop_price=95),
    )
    placed: Any = await asyncio.to_thread(client.submit_order, bracket)
    assert [leg.status.value for leg in placed.legs] == ["held", "held"]
    await server.market.play(candle("AAPL", START + MINUTE, "100", "101", "94", "96"))
    whole: Any = await asyncio.to_thread(client.get_order_by_id, placed.id)
    assert {leg.type.value: leg.status.value for leg in whole.legs} == {"limit": "canceled", "stop": "filled"}
    assert not server.positions
    assert server.fills[-1].price == 95


async def test_trade_updates_reach_the_handler(server: AlpacaServer, client: TradingClient) -> None:
    heard: list[Any] = []
    stream = TradingStream(server.key, server.secret, paper=True, url_override=server.ws_url + "/stream")
    stream.subscribe_trade_updates(collecting(heard))
    async with running(stream):
        await until(lambda: server.trade_stream.listening)
        server.faults.next(Fault.PARTIAL)
        await asyncio.to_thread(client.submit_order, buys(10))
        await until(lambda: len(heard) == 3)
    assert [(update.event, update.qty) for update in heard] == [("new", None), ("partial_fill", 5), ("fill", 5)]
    assert heard[-1].position_qty == 10


async def test_bars_come_by_rest_in_pages(server: AlpacaServer) -> None:
    stocks = StockHistoricalDataClient(server.key, server.secret, url_override=server.url)
    pairs = CryptoHistoricalDataClient(server.key, server.secret, url_override=server.url)
    asked = StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute, start=START - 2 * MINUTE)
    bars: Any = await asyncio.to_thread(stocks.get_stock_bars, asked)
    assert [bar.open for bar in bars["AAPL"]] == [98, 99, 100]
    latest: Any = await asyncio.to_thread(stocks.get_stock_latest_bar, StockLatestBarRequest(symbol_or_symbols="AAPL"))
    assert latest["AAPL"].close == 100
    crypto = CryptoBarsRequest(symbol_or_symbols=["BTC/USD"], timeframe=TimeFrame.Minute)
    found: Any = await asyncio.to_thread(pairs.get_crypto_bars, crypto)
    assert found["BTC/USD"][0].timestamp == START


@pytest.mark.parametrize(
    ("kind", "path", "symbol"),
    [(StockDataStream, "/v2/iex", "AAPL"), (CryptoDataStream, "/v1beta3/crypto/us", "BTC/USD")],
)
async def test_closed_bars_reach_the_handler(server: AlpacaServer, kind: Any, path: str, symbol: str) -> None:
    heard: list[Any] = []
    stream = kind(server.key, server.secret, url_override=server.ws_url + path)
    stream.subscribe_bars(collecting(heard), symbol)
    async with running(stream):
        await until(lambda: any(listener.wanted for listener in server.data_stream.listeners))
        await server.market.play(candle(symbol, START + MINUTE, "100", "105", "95", "101"))
        await until(lambda: heard)
    bar = heard[0]
    assert (bar.symbol, bar.timestamp, bar.high, bar.close) == (symbol, START + MINUTE, 105, 101)


async def test_a_wrong_secret_is_an_error_with_status_403(server: AlpacaServer) -> None:
    client = TradingClient(server.key, "wrong", paper=True, url_override=server.url)
    with pytest.raises(APIError) as refused:
        await asyncio.to_thread(client.get_account)
    assert refused.value.status_code == 403


async def test_a_lost_answer_to_an_order_leaves_the_order(server: AlpacaServer, client: TradingClient) -> None:
    server.faults.next(Fault.ANSWER_LOST, "POST /v2/orders")
    with pytest.raises(requests.exceptions.ConnectionError):
        await asyncio.to_thread(client.submit_order, buys(1, "lost"))
    found: Any = await asyncio.to_thread(client.get_order_by_client_id, "lost")
    assert found.status.value == "filled"
