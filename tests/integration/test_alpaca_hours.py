"""Half a day at the Alpaca test server, as a session hears of it."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from services.runner.core.inputs import HoursTurned
from services.runner.live import hours
from services.runner.live.hours import HoursWatch
from shared.runtime import clock
from shared.venues import alpaca
from tests.venues.alpaca.calendar import Calendar
from tests.venues.alpaca.server import AlpacaServer
from tests.venues.faults import Fault

FRIDAY = date(2026, 11, 27)
CLOSE = datetime(2026, 11, 27, 18, tzinfo=UTC)
OPENING = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def test_a_session_hears_of_the_close_of_half_a_day_and_of_the_next_opening(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [CLOSE - 60 * MINUTE]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    monkeypatch.setattr(hours, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(hours, "_AGAIN_SECONDS", 0.01)
    told: list[HoursTurned] = []
    async with AlpacaServer(clock=lambda: now[0], calendar=Calendar(half_days=frozenset({FRIDAY}))) as server:
        server.faults.next(Fault.SERVER_ERROR, "GET /v2/calendar")
        access = alpaca.Access(True, server.key, server.secret, server.url, server.url, server.ws_url)
        market = alpaca.market(access, ["AAPL", "BTC/USD"], "1m")
        keeping = asyncio.ensure_future(HoursWatch(market, 10 * MINUTE, lambda: None, told.append).keep())
        try:
            async with asyncio.timeout(20):
                for number, at in enumerate((now[0], CLOSE - 10 * MINUTE, CLOSE, OPENING), start=1):
                    now[0] = at
                    while len(told) < number:
                        await asyncio.sleep(0.01)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await market.close()
    assert [(each.hours.standing, each.hours.until) for each in told] == [
        ("open", CLOSE),
        ("closing", CLOSE),
        ("closed", OPENING),
        ("open", datetime(2026, 11, 30, 21, tzinfo=UTC)),
    ]
    assert {each.hours.symbols for each in told} == {("AAPL",)}


async def test_pairs_have_no_hours_to_watch() -> None:
    async with AlpacaServer() as server:
        access = alpaca.Access(True, server.key, server.secret, server.url, server.url, server.ws_url)
        market = alpaca.market(access, ["BTC/USD"], "1m")
        await asyncio.wait_for(HoursWatch(market, None, lambda: None, lambda told: None).keep(), 10)
        await market.close()
