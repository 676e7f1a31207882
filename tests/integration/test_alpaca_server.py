"""The Alpaca test server over sockets, seen by a bare client."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.venues.alpaca.raw_client import RawClient, authorize, events, raw_client, receive
from tests.venues.alpaca.server import START, AlpacaServer
from tests.venues.market import candle

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer() as server:
        server.market.know([candle("AAPL", START, "100"), candle("BTC/USD", START, "50000")])
        yield server


@pytest.fixture
async def client(server: AlpacaServer) -> AsyncIterator[RawClient]:
    async with raw_client(server) as client:
        yield client


async def test_a_market_order_is_answered_before_it_is_filled(server: AlpacaServer, client: RawClient) -> None:
    placed = await client.order("AAPL", "buy", "10", client_order_id="mine")
    assert (placed.status, placed.body["status"], placed.body["filled_qty"]) == (200, "pending_new", "0")
    found = await client.call("GET /v2/orders:by_client_order_id?client_order_id=mine")
    assert (found.body["status"], found.body["filled_avg_price"]) == ("filled", "100")
    assert [fill.qty for fill in server.fills] == [10]
    assert server.books.cash == 99_000


async def test_updates_come_as_binary_frames_in_order(server: AlpacaServer, client: RawClient) -> None:
    async with client.trade_updates() as socket:
        await client.order("AAPL", "buy", "10", type="limit", limit_price="99")
        await server.market.play(candle("AAPL", START + MINUTE, "100", "101", "98", "99"))
        assert (await receive(socket))["data"]["event"] == "new"
        fill = (await receive(socket))["data"]
        assert (fill["event"], fill["price"], fill["qty"], fill["position_qty"]) == ("fill", "99", "10", "10")
        assert fill["order"]["status"] == "filled"


async def test_only_one_connection_listens_to_an_account(server: AlpacaServer, client: RawClient) -> None:
    async with client.trade_updates(), client.session.ws_connect(server.ws_url + "/stream") as second:
        assert (await authorize(server, second))["status"] == "unauthorized"
        await second.receive()
        assert second.closed


async def test_nothing_is_replayed_after_a_reconnect(server: AlpacaServer, client: RawClient) -> None:
    async with client.trade_updates() as socket:
        server.cut_streams()
        await socket.receive()
    while server.trade_stream.channel is not None:
        await client.call("GET /v2/clock")
    await client.order("AAPL", "buy")
    async with client.trade_updates() as socket:
        await client.order("AAPL", "sell")
        assert await events(socket, 2) == ["new", "fill"]
        assert len(server.fills) == 2


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"client_order_id": "x" * 129}, (422, 40010001, "client_order_id must be no more than 128 characters")),
        ({"notional": "10"}, (422, 40010001, "only one of qty or notional is accepted")),
        ({"qty": "0.5", "time_in_force": "gtc"}, (422, 42210000, "fractional orders must be DAY orders")),
        ({"extended_hours": True}, (422, 42210000, "extended hours order must be DAY or GTC limit orders")),
        ({"qty": "0.001"}, (403, 40310000, "cost basis must be >= minimal amount of order 1")),
        ({"symbol": "BTC/USD", "qty": "0.0001"}, (403, 40310000, "cost basis must be >= minimal amount of order 10")),
        ({"symbol": "WHOLE", "qty": "0.5"}, (403, 40310000, 'asset "WHOLE" is not fractionable')),
        (
            {"symbol": "BTC/USD", "type": "stop", "stop_price": "1"},
            (422, 42210000, "invalid order type for crypto order"),
        ),
        ({"qty": "1001"}, (403, 40310000, "insufficient buying power")),
        ({"side": "sell"}, (403, 40310000, "account is not allowed to short")),
        (
            {"type": "limit", "limit_price": "99.999"},
            (
                422,
                42210000,
                "invalid limit_price 99.999. sub-penny increment does not fulfill minimum pricing criteria",
            ),
        ),
        ({"symbol": "BTC/USD", "time_in_force": "day"}, (422, 42210000, "invalid crypto time_in_force")),
    ],
)
async def test_the_venue_refuses(client: RawClient, fields: dict[str, object], refusal: tuple[int, int, str]) -> None:
    ordinary = {"symbol": "AAPL", "side": "buy", "qty": "1"}
    answer = await client.order(**(ordinary | fields))  # type: ignore[arg-type]
    assert answer.refusal == refusal


async def test_a_client_order_id_is_unique_for_ever(client: RawClient) -> None:
    await client.order("AAPL", "buy", client_order_id="once")
    again = await client.order("AAPL", "buy", client_order_id="once")
    assert again.refusal == (422, 40010001, "client_order_id must be unique")


async def test_a_resting_sell_stop_refuses_a_new_purchase(client: RawClient) -> None:
    await client.order("AAPL", "buy", "2")
    stop = await client.order("AAPL", "sell", "2", type="stop", stop_price="90", time_in_force="gtc")
    more = await client.order("AAPL", "buy", "1")
    assert more.refusal == (403, 40310000, "potential wash trade detected. use complex orders")
    assert more.body["existing_order_id"] == stop.body["id"]


async def test_a_second_exit_for_the_same_shares_is_refused(client: RawClient) -> None:
    await client.order("AAPL", "buy", "2")
    await client.order("AAPL", "sell", "2", type="stop", stop_price="90", time_in_force="gtc")
    profit = await client.order("AAPL", "sell", "2", type="limit", limit_price="110")
    assert profit.refusal == (
        403,
        40310000,
        "insufficient qty available for order (requested: 2, available: 0)",
    )
