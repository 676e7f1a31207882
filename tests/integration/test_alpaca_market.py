"""Alpaca's market through alpaca-py, and whether a session may begin on it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest

from services.runner.live.opening import LiveMarket
from shared.runtime.errors import SettingsError
from shared.runtime.settings import Settings
from shared.schemas.market import Candle
from shared.venues import alpaca
from shared.venues.alpaca.market import AlpacaMarket
from shared.venues.trouble import VenueError
from tests.rehearsal import session
from tests.venues.alpaca.calendar import Calendar
from tests.venues.alpaca.server import START, AlpacaServer
from tests.venues.faults import Fault
from tests.venues.market import candle

MINUTE = timedelta(minutes=1)
AAPL, BTC = "AAPL", "BTC/USD"
FRIDAY_CLOSE = datetime(2026, 1, 2, 18, 0, tzinfo=UTC)
CALENDAR = Calendar(half_days=frozenset({date(2026, 1, 2)}))


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer(limit=10_000, calendar=CALENDAR) as server:
        yield server


def access(server: AlpacaServer) -> alpaca.Access:
    return alpaca.Access(True, server.key, server.secret, server.url, server.url, server.ws_url)


@asynccontextmanager
async def market_of(server: AlpacaServer, *symbols: str, timeframe: str = "1m") -> AsyncIterator[AlpacaMarket]:
    market = alpaca.market(access(server), symbols, timeframe)
    try:
        yield market
    finally:
        await market.close()


@asynccontextmanager
async def following(market: AlpacaMarket, server: AlpacaServer, count: int) -> AsyncIterator[list[Candle]]:
    """What the market's `count` streams tell; the block may end before them."""
    heard: list[Candle] = []
    task = asyncio.ensure_future(market.follow(heard.append, lambda: None))
    async with asyncio.timeout(20):
        while sum(bool(each.wanted.get("bars")) for each in server.data_stream.listeners) < count:
            await asyncio.sleep(0.01)
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_heard(heard: Sequence[Candle], count: int) -> None:
    async with asyncio.timeout(20):
        while len(heard) < count:
            await asyncio.sleep(0.01)


def opened(candles: Sequence[Candle]) -> list[datetime]:
    return [each.open_time for each in candles]


async def test_rules_are_the_venues_own(server: AlpacaServer) -> None:
    server.market.know([candle(AAPL, START, "0.5")])
    async with market_of(server, BTC, AAPL) as market:
        told = await market.instruments()
    assert (told[AAPL].tick_size, told[BTC].min_qty) == (Decimal("0.0001"), Decimal("0.0001"))


async def test_a_symbol_that_is_not_traded_ends_the_beginning(server: AlpacaServer) -> None:
    for symbol, reason in (("GONE", "not traded"), ("NOSUCH", "not found")):
        async with market_of(server, symbol) as market:
            with pytest.raises(VenueError, match=reason):
                await market.instruments()


async def test_history_comes_in_pages_and_in_exact_numbers(
    server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("shared.venues.alpaca.market"), "_PAGE", 2)
    server.market.know([candle(BTC, START + n * MINUTE, f"100.{n}7", volume="0.1") for n in range(5)])
    async with market_of(server, BTC) as market:
        told = await market.history(BTC, START + MINUTE, START + 4 * MINUTE)
    assert [str(each.close) for each in told] == ["100.17", "100.27", "100.37"]
    assert told[0].volume == Decimal("0.1")


async def test_history_knows_no_bars_outside_the_hours(server: AlpacaServer) -> None:
    server.market.know([candle(AAPL, FRIDAY_CLOSE + n * MINUTE, "100") for n in (-2, -1, 0, 1)])
    server.market.know([candle(AAPL, START + n * MINUTE, "101") for n in (-31, -30, -29)])
    async with market_of(server, AAPL) as market:
        told = await market.history(AAPL, FRIDAY_CLOSE - 2 * MINUTE, START)
        asked = len(server.requests)
        assert await market.history(AAPL, FRIDAY_CLOSE, FRIDAY_CLOSE + 60 * MINUTE) == ()
    assert opened(told) == [FRIDAY_CLOSE - 2 * MINUTE, FRIDAY_CLOSE - MINUTE, START - 30 * MINUTE, START - 29 * MINUTE]
    assert len(server.requests) == asked


async def test_closed_bars_of_stocks_and_pairs_are_streamed_side_by_side(server: AlpacaServer) -> None:
    server.market.know([candle(AAPL, START, "100"), candle(BTC, START, "50000")])
    async with market_of(server, AAPL, BTC) as market, following(market, server, 2) as heard:
        for symbol, price in ((AAPL, "100.5"), (BTC, "50000.01")):
            await server.market.play(candle(symbol, START + MINUTE, price))
        await until_heard(heard, 2)
    assert {each.symbol: str(each.close) for each in heard} == {AAPL: "100.5", BTC: "50000.01"}
    assert heard[0].close_time == START + 2 * MINUTE


async def test_longer_bars_are_made_of_minutes_and_history_has_the_same(server: AlpacaServer) -> None:
    server.market.know([candle(BTC, START - MINUTE, "100")])
    async with market_of(server, BTC, timeframe="5m") as market, following(market, server, 1) as heard:
        for number in range(5):
            await server.market.play(candle(BTC, START + number * MINUTE, "100", f"10{number}", f"9{number}", "100.5"))
        await until_heard(heard, 1)
        assert await market.history(BTC, START, START + 5 * MINUTE) == heard
    assert (heard[0].high, heard[0].low, heard[0].volume) == (Decimal("104"), Decimal("90"), Decimal("20"))


@pytest.mark.parametrize("timeframe", ["30s", "7m", "90m", "1d"])
async def test_a_timeframe_that_fills_no_hour_begins_no_session(server: AlpacaServer, timeframe: str) -> None:
    async with LiveMarket(on_alpaca(timeframe=timeframe), settings(server)) as market:
        with pytest.raises(SettingsError, match=timeframe):
            await market.opened()


async def test_bars_after_the_close_are_not_told(server: AlpacaServer) -> None:
    server.market.know([candle(AAPL, START, "100")])
    close = START.replace(hour=21)
    async with market_of(server, AAPL) as market, following(market, server, 1) as heard:
        await server.market.play(candle(AAPL, close, "100"))
        await server.market.play(candle(AAPL, close - MINUTE, "100"))
        await until_heard(heard, 1)
    assert opened(heard) == [close - MINUTE]


async def test_a_closed_exchange_is_quiet_but_not_mute(server: AlpacaServer) -> None:
    server.market.know([candle(AAPL, FRIDAY_CLOSE, "100")])
    alive = asyncio.Event()
    async with market_of(server, AAPL) as market:
        task = asyncio.ensure_future(market.follow(lambda candle: None, alive.set))
        await asyncio.wait_for(alive.wait(), 20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_hours_that_can_not_be_had_end_no_stream(server: AlpacaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("shared.venues.alpaca.calendar"), "_KEPT_SECONDS", 0.0)
    monkeypatch.setattr(import_module("shared.venues.alpaca.market"), "_SIGN_OF_LIFE_SECONDS", 0.01)
    server.market.know([candle(AAPL, START, "100")])
    async with market_of(server, AAPL) as market, following(market, server, 1) as heard:
        server.faults.rate(Fault.SERVER_ERROR, 1.0, "GET /v2/calendar")
        while server.faults.drawn[Fault.SERVER_ERROR] < 5:
            await asyncio.sleep(0.01)
        await server.market.play(candle(AAPL, START + MINUTE, "100.5"))
        await until_heard(heard, 1)


async def test_an_open_exchange_that_says_nothing_is_mute(server: AlpacaServer) -> None:
    server.market.know([candle(AAPL, START, "100")])
    alive: list[None] = []
    async with market_of(server, AAPL) as market:
        task = asyncio.ensure_future(market.follow(lambda candle: None, lambda: alive.append(None)))
        while not any(each.wanted for each in server.data_stream.listeners):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(alive) <= 1, "the answer to the subscription, and nothing else"


async def test_a_stream_that_is_cut_ends_in_a_trouble_and_can_be_followed_again(server: AlpacaServer) -> None:
    server.market.know([candle(BTC, START, "100")])
    async with market_of(server, BTC) as market:
        task = asyncio.ensure_future(market.follow(lambda candle: None, lambda: None))
        while not any(each.wanted for each in server.data_stream.listeners):
            await asyncio.sleep(0.01)
        server.cut_streams()
        with pytest.raises(VenueError) as ended:
            await asyncio.wait_for(task, 20)
        assert ended.value.fate == "retry"
        async with following(market, server, 1) as heard:
            await server.market.play(candle(BTC, START + MINUTE, "100"))
            await until_heard(heard, 1)


async def test_a_key_that_is_not_known_is_told_and_not_tried_for_ever(server: AlpacaServer) -> None:
    wrong = alpaca.Access(True, server.key, "wrong", server.url, server.url, server.ws_url)
    market = alpaca.market(wrong, [BTC], "1m")
    with pytest.raises(VenueError) as refused:
        await asyncio.wait_for(market.follow(lambda candle: None, lambda: None), 20)
    await market.close()
    assert refused.value.fate == "fatal"


def settings(server: AlpacaServer | None = None, **given: Any) -> Settings:
    where = (
        {"alpaca_base_url": server.url, "alpaca_data_url": server.url, "alpaca_stream_url": server.ws_url}
        if server
        else {}
    )
    keys = {"alpaca_paper_api_key": server.key, "alpaca_paper_secret_key": server.secret} if server else {}
    return Settings.model_validate({**where, **keys, **given})


def on_alpaca(**given: Any) -> Any:
    return session(**{"feed": "alpaca", "venue": "alpaca", "symbols": (AAPL,), "quote": "USD", **given})


async def test_a_session_warms_up_on_the_days_before(server: AlpacaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = START - 30 * MINUTE
    monkeypatch.setattr("shared.runtime.clock.now", lambda: opening)
    server.market.know([candle(AAPL, FRIDAY_CLOSE + n * MINUTE, "100") for n in range(-100, 0)])
    server.start = opening
    config = on_alpaca(warmup_bars=90)
    async with LiveMarket(config, settings(server, dry_run=False)) as market:
        begun = await market.opened()
    assert len(begun.warmup) == 90
    assert begun.warmup[-1][0].close_time == FRIDAY_CLOSE
    assert begun.before == {AAPL: 0}


async def test_a_dry_run_asks_the_account_nothing(server: AlpacaServer) -> None:
    server.market.know([candle(AAPL, START, "100")])
    async with LiveMarket(on_alpaca(), settings(server)) as market:
        assert (await market.opened()).account is None
    assert not [one for one in server.requests if "/account" in one.name or "/positions" in one.name]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_without_a_key_nothing_begins_and_the_message_names_it(dry_run: bool) -> None:
    with pytest.raises(SettingsError, match="ALPACA_PAPER_API_KEY and ALPACA_PAPER_SECRET_KEY"):
        await LiveMarket(on_alpaca(), settings(dry_run=dry_run)).opened()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"quote": "USDT"}, "quote"),
        ({"symbols": (BTC,), "sizing": {"stop_distance": "0.02"}}, "stop_limit"),
        ({"venue": "binance"}, "venue"),
    ],
)
async def test_what_alpaca_has_not_is_told_before_anything_is_connected(given: dict[str, Any], problem: str) -> None:
    known = settings(dry_run=False, alpaca_paper_api_key="a", alpaca_paper_secret_key="b")
    with pytest.raises(SettingsError, match=problem):
        await LiveMarket(on_alpaca(**given), known).opened()


def test_secrets_show_nowhere() -> None:
    assert "secret" not in repr(alpaca.Access(True, "key", "secret"))
