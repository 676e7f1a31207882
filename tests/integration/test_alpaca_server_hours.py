"""The Alpaca test server by the clock: what trades when, and how long an order stands."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.venues.alpaca.calendar import Calendar
from tests.venues.alpaca.raw_client import RawClient, raw_client
from tests.venues.alpaca.server import AlpacaServer
from tests.venues.market import candle

MINUTE = timedelta(minutes=1)
CALENDAR = Calendar(holidays=frozenset({date(2026, 11, 26)}), half_days=frozenset({date(2026, 11, 27)}))


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


class Clock:
    """The server's time, which a test sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(utc(25, 20, 59))


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer(clock=clock, calendar=CALENDAR) as server:
        server.market.know([candle("AAPL", clock.now - MINUTE, "100"), candle("BTC/USD", clock.now - MINUTE, "50000")])
        yield server


@pytest.fixture
async def client(server: AlpacaServer) -> AsyncIterator[RawClient]:
    async with raw_client(server) as client:
        yield client


async def statuses(server: AlpacaServer, clock: Clock, *moments: datetime) -> list[str]:
    """How the first order stands at each moment."""
    found = []
    for moment in moments:
        clock.now = moment
        await server.advance()
        found.append(server.orders[0].status)
    return found


async def test_clock_and_calendar_know_holidays_and_half_days(client: RawClient, clock: Clock) -> None:
    clock.now = utc(25, 21)
    told = (await client.call("GET /v2/clock")).body
    assert (told["is_open"], told["next_open"]) == (False, "2026-11-27T09:30:00-05:00")
    assert told["next_close"] == "2026-11-27T13:00:00-05:00"
    days = (await client.call("GET /v2/calendar?start=2026-11-25&end=2026-11-30")).body
    assert [(day["date"], day["close"]) for day in days] == [
        ("2026-11-25", "16:00"),
        ("2026-11-27", "13:00"),
        ("2026-11-30", "16:00"),
    ]


async def test_an_order_for_a_stock_waits_for_the_opening_and_one_for_a_pair_does_not(
    server: AlpacaServer, client: RawClient, clock: Clock
) -> None:
    clock.now = utc(25, 21)
    placed = await client.order("AAPL", "buy")
    assert placed.body["status"] == "accepted"
    assert await statuses(server, clock, utc(27, 14, 29), utc(27, 14, 30)) == ["accepted", "filled"]
    clock.now = utc(28, 12)
    await client.order("BTC/USD", "buy", "0.01")
    assert server.orders[-1].status == "filled"


async def test_an_order_for_the_day_ends_with_it_and_one_till_cancelled_stands(
    server: AlpacaServer, client: RawClient, clock: Clock
) -> None:
    await client.order("AAPL", "buy", type="limit", limit_price="90")
    await client.order("AAPL", "buy", type="limit", limit_price="90", time_in_force="gtc")
    assert await statuses(server, clock, utc(25, 21)) == ["expired"]
    assert await statuses(server, clock, utc(30, 21)) == ["expired"]
    assert server.orders[1].status == "new"


async def test_a_half_day_ends_an_order_early(server: AlpacaServer, client: RawClient, clock: Clock) -> None:
    clock.now = utc(27, 17, 30)
    await client.order("AAPL", "buy", type="limit", limit_price="90")
    assert await statuses(server, clock, utc(27, 17, 59), utc(27, 18)) == ["new", "expired"]


async def test_extended_hours_fill_limits_that_ask_for_them(
    server: AlpacaServer, client: RawClient, clock: Clock
) -> None:
    clock.now = utc(25, 22)
    await client.order("AAPL", "buy", type="limit", limit_price="101", extended_hours=True)
    await client.order("AAPL", "buy", type="limit", limit_price="101")
    assert [order.status for order in server.orders] == ["filled", "accepted"]


async def test_a_queued_order_can_not_be_replaced(client: RawClient, clock: Clock) -> None:
    clock.now = utc(25, 21)
    placed = await client.order("AAPL", "buy", type="limit", limit_price="90")
    refused = await client.call(f"PATCH /v2/orders/{placed.body['id']}", {"limit_price": "91"})
    assert refused.refusal == (422, 42210000, "unable to replace order, order isn't sent to exchange yet")
