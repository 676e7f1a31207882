"""What the runner shows of a venue: what was tried again, what of the minute is spent, which stream is there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from prometheus_client import REGISTRY

from services.runner.live import calling
from shared.venues import binance
from shared.venues.words import Executed
from tests.dealing_desk import Desk, dealing_at
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.server import BinanceServer
from tests.venues.faults import Fault
from tests.venues.market import candle
from tests.venues.paper_orders import ticket

SEND = "POST /api/v3/order"


@pytest.fixture
async def server() -> AsyncIterator[BinanceServer]:
    async with BinanceServer() as server:
        server.account.fund(USDT="1000", BTC="2")
        await server.market.play(candle("BTCUSDT", datetime(2026, 1, 5, 10, tzinfo=UTC), "100"))
        yield server


@pytest.fixture
async def desk(server: BinanceServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(calling, "FIRST_PAUSE", 0.05)
    account = binance.account(binance.Access(True, KEY, SECRET, server.url, server.ws_url, server.ws_url))
    await account.open()
    desk = Desk(account, {"BTCUSDT": Decimal(2)}, lambda: len(server.account.exchange.books.orders))
    async with dealing_at(desk):
        yield desk
    await account.close()


def shown(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"leitstand_venue_{name}", {"venue": "binance", **labels}) or 0.0


async def test_a_call_that_is_made_again_counts_by_what_the_failed_one_left(desk: Desk, server: BinanceServer) -> None:
    before = shown("retries_total", fate="retry")
    server.faults.next(Fault.CLOCK, SEND)
    await desk.send(ticket("0.5", name="lt-1"))
    await desk.until(Executed)
    assert shown("retries_total", fate="retry") == before + 1


async def test_the_venues_own_count_of_the_minute_is_shown_beside_its_limit(desk: Desk, server: BinanceServer) -> None:
    await desk.send(ticket("0.5", name="lt-1"))
    await desk.until(Executed)
    assert shown("weight_used") == server.venue.weight.used > 0
    assert shown("weight_limit") == 6000


async def test_a_stream_that_is_cut_is_shown_as_lost_until_it_is_back(desk: Desk, server: BinanceServer) -> None:
    while not shown("stream_up", stream="account"):
        await asyncio.sleep(0.01)
    server.faults.rate(Fault.REQUEST_LOST, 1.0, "CONNECT /ws-api/v3")
    server.cut_streams()
    while shown("stream_up", stream="account"):
        await asyncio.sleep(0.01)
    server.faults.clear()
    while not shown("stream_up", stream="account"):
        await asyncio.sleep(0.01)
