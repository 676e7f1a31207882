"""A session's slices of a stock, over a night at the Alpaca test server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from services.runner.live.slices import GRACE, Slices
from shared.runtime import clock
from shared.venues import alpaca
from tests.venues.alpaca.server import AlpacaServer
from tests.venues.market import candle

MINUTE = timedelta(minutes=1)
CLOSE = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
OPENING = datetime(2026, 1, 6, 14, 30, tzinfo=UTC)


async def taken(slices: Slices, count: int) -> list[datetime]:
    """When the next `count` slices opened."""
    found: list[datetime] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            candles = slices.take()
            if candles is None:
                await asyncio.sleep(0.01)
            else:
                found.append(candles[0].open_time)
    return found


@asynccontextmanager
async def kept(slices: Slices, server: AlpacaServer) -> AsyncIterator[None]:
    """The market is followed, by its stream too."""
    keeping = asyncio.ensure_future(slices.keep())
    try:
        async with asyncio.timeout(20):
            while not any(each.wanted for each in server.data_stream.listeners):
                await asyncio.sleep(0.01)
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_the_last_bar_of_a_day_is_followed_by_the_first_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [CLOSE + 5 * MINUTE + GRACE]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    async with AlpacaServer() as server:
        server.market.know([candle("AAPL", CLOSE + n * MINUTE, "100") for n in (-2, -1, 0, 3)])
        access = alpaca.Access(True, server.key, server.secret, server.url, server.url, server.ws_url)
        market = alpaca.market(access, ["AAPL"], "1m")
        slices = Slices(market, ["AAPL"], MINUTE, CLOSE - 2 * MINUTE, lambda: None, lambda trouble: None)
        async with kept(slices, server):
            assert await taken(slices, 2) == [CLOSE - 2 * MINUTE, CLOSE - MINUTE]
            now[0] = OPENING + 3 * MINUTE + GRACE
            server.market.know([candle("AAPL", OPENING + n * MINUTE, "101") for n in (-1, 0, 1)])
            await server.market.play(candle("AAPL", OPENING + 2 * MINUTE, "101"))
            assert await taken(slices, 3) == [OPENING, OPENING + MINUTE, OPENING + 2 * MINUTE]
            assert slices.take() is None
        await market.close()
