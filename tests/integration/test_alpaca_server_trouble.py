"""The Alpaca test server's planned trouble, and what a blocked account may do."""

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from tests.venues.alpaca.raw_client import RawClient, events, raw_client, receive
from tests.venues.alpaca.server import START, AlpacaServer
from tests.venues.faults import Fault
from tests.venues.market import candle

SEND = "POST /v2/orders"
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


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"status": "ACCOUNT_UPDATED"}, "account is not active"),
        ({"trading_blocked": True}, "account is restricted from trading"),
        ({"account_blocked": True}, "account is restricted from trading"),
        ({"trade_suspended_by_user": True}, "new orders are rejected by user request"),
    ],
)
async def test_a_blocked_account_places_nothing(
    server: AlpacaServer, client: RawClient, block: dict[str, object], message: str
) -> None:
    for name, value in block.items():
        setattr(server.standing, name, value)
    assert (await client.order("AAPL", "buy")).refusal == (403, 40310000, message)
    told = (await client.call("GET /v2/account")).body
    assert {name: told[name] for name in block} == block


async def test_the_users_own_switch_suspends_trading_and_still_lets_cancel(
    server: AlpacaServer, client: RawClient
) -> None:
    placed = await client.order("AAPL", "buy", type="limit", limit_price="90")
    await client.call("PATCH /v2/account/configurations", {"suspend_trade": True})
    assert (await client.order("AAPL", "buy")).status == 403
    assert (await client.call(f"DELETE /v2/orders/{placed.body['id']}")).status == 204


@pytest.mark.parametrize(("fault", "placed"), [(Fault.REQUEST_LOST, 0), (Fault.ANSWER_LOST, 1)])
async def test_a_cut_connection_tells_nothing_of_the_order(
    server: AlpacaServer, client: RawClient, fault: Fault, placed: int
) -> None:
    server.faults.next(fault, SEND)
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.order("AAPL", "buy")
    assert len(server.orders) == placed


@pytest.mark.parametrize(("fault", "placed"), [(Fault.SERVER_ERROR, 0), (Fault.SERVER_ERROR_EXECUTED, 4)])
async def test_server_errors_come_as_json_html_or_nothing_and_tell_nothing_of_the_order(
    server: AlpacaServer, client: RawClient, fault: Fault, placed: int
) -> None:
    server.faults.next(fault, SEND, times=4)
    answers = [await client.order("AAPL", "buy") for _ in range(4)]
    assert [answer.status for answer in answers] == [500, 502, 503, 504]
    assert len(server.orders) == placed


async def test_too_many_requests_say_how_long_to_stay_away(server: AlpacaServer, client: RawClient) -> None:
    server.faults.next(Fault.TOO_MANY_REQUESTS, SEND)
    refused = await client.order("AAPL", "buy")
    assert refused.refusal == (429, 42910000, "rate limit exceeded")
    assert refused.headers["Retry-After"] == "1"


async def test_the_limit_of_requests_is_counted_by_the_minute() -> None:
    seconds = [1000.0]
    async with AlpacaServer(limit=2, seconds=lambda: seconds[0]) as server, raw_client(server) as client:
        told = [await client.call("GET /v2/clock") for _ in range(3)]
        assert [answer.status for answer in told] == [200, 200, 429]
        assert (told[2].headers["X-RateLimit-Remaining"], told[2].headers["X-RateLimit-Reset"]) == ("0", "1020")
        seconds[0] = 1020.0
        assert (await client.call("GET /v2/clock")).status == 200


async def test_a_read_that_lags_shows_what_was_before(server: AlpacaServer, client: RawClient) -> None:
    await client.order("AAPL", "buy", client_order_id="a")
    server.faults.next(Fault.STALE_READ, "GET /v2/positions")
    assert (await client.call("GET /v2/positions")).body == []
    assert [held["qty"] for held in (await client.call("GET /v2/positions")).body] == ["1"]


async def test_updates_come_twice_or_in_another_order(server: AlpacaServer, client: RawClient) -> None:
    async with client.trade_updates() as socket:
        server.faults.next(Fault.DUPLICATED, "stream trade_updates")
        await client.order("AAPL", "buy")
        assert await events(socket, 3) == ["new", "new", "fill"]
        server.faults.next(Fault.REORDERED, "stream trade_updates")
        await client.order("AAPL", "buy")
        assert await events(socket, 2) == ["fill", "new"]


async def test_a_mute_stream_stays_open_and_says_nothing(server: AlpacaServer, client: RawClient) -> None:
    async with client.trade_updates() as socket:
        server.faults.next(Fault.MUTE, "stream trade_updates")
        await client.order("AAPL", "buy")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.2)
        assert not socket.closed


async def test_a_trade_has_another_id_among_the_activities_than_on_the_stream(
    server: AlpacaServer, client: RawClient
) -> None:
    async with client.trade_updates() as socket:
        await client.order("AAPL", "buy")
        await receive(socket)
        streamed = (await receive(socket))["data"]
    [booked] = (await client.call("GET /v2/account/activities/FILL")).body
    assert booked["id"].startswith("20260105100")
    assert streamed["execution_id"] not in booked["id"]
    assert (booked["cum_qty"], booked["order_id"]) == (streamed["order"]["filled_qty"], streamed["order"]["id"])
