"""An account's statement at the Binance test server: what it shows, what it costs, and whom it lets pass first."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from string import ascii_uppercase

import pytest

from shared.runtime import clock
from shared.schemas.values import Side
from shared.venues import binance
from shared.venues.binance.account import BinanceAccount
from shared.venues.binance.weights import weight_of_statement
from shared.venues.statement import Listed
from shared.venues.trouble import Fate, VenueError
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.orders import Wanted
from tests.venues.binance.server import BinanceServer, ordinary_symbols
from tests.venues.binance.symbols import Symbol
from tests.venues.market import candle
from tests.venues.paper_orders import ticket

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
OTHERS = tuple(Symbol(f"Y{one}{two}", "USDT") for one in "ABCDEFGHIJ" for two in ascii_uppercase[:10])
HUNDRED = tuple(symbol.name for symbol in OTHERS)


@pytest.fixture
async def server() -> AsyncIterator[BinanceServer]:
    async with BinanceServer((*ordinary_symbols(), *OTHERS)) as server:
        server.account.fund(USDT="100000", BTC="2", BNB="0")
        for symbol in ("BTCUSDT", *HUNDRED):
            await server.market.play(candle(symbol, START, "100"))
        yield server


@pytest.fixture
async def access(server: BinanceServer) -> binance.Access:
    return binance.Access(True, KEY, SECRET, server.url, server.ws_url, server.ws_url)


@pytest.fixture
async def account(access: binance.Access) -> AsyncIterator[BinanceAccount]:
    account = binance.account(access)
    await account.open()
    yield account
    await account.close()


def rest(server: BinanceServer, symbol: str, name: str) -> None:
    wanted = Wanted(symbol, "BUY", "LIMIT", name, qty=Decimal("0.5"), price=Decimal(50))
    server.account.exchange.place(wanted)


async def test_a_hundred_symbols_cost_little_more_than_their_executions(
    server: BinanceServer, account: BinanceAccount
) -> None:
    await account.balances(HUNDRED)
    before = server.venue.weight.used
    await account.statement(HUNDRED, START)
    assert server.venue.weight.used - before == weight_of_statement(100) == 2120


async def test_of_all_open_orders_those_in_the_sessions_symbols_are_listed(
    server: BinanceServer, account: BinanceAccount
) -> None:
    rest(server, HUNDRED[7], "lt-1")
    rest(server, "BTCUSDT", "web_1")
    found = await account.statement(HUNDRED, START)
    assert found.open_orders == (Listed("lt-1", HUNDRED[7]),)
    assert await account.open_orders(HUNDRED) == ["lt-1"]
    assert await account.open_orders(["BTCUSDT"]) == ["web_1"]


async def test_balances_that_moved_while_the_statement_was_read_stand_for_no_moment(
    account: BinanceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = account._listed

    async def bought_meanwhile(symbols: Sequence[str]) -> Sequence[Listed]:
        await account.send(ticket("0.5", Side.BUY, "lt-1"))
        return await listed(symbols)

    since = clock.now() - timedelta(minutes=1)
    assert (await account.statement(["BTCUSDT"], since)).balances is not None
    monkeypatch.setattr(account, "_listed", bought_meanwhile)
    found = await account.statement(["BTCUSDT"], since)
    assert found.balances is None
    assert [each.word.client_order_id for each in found.executions] == ["lt-1"]


async def test_a_statement_waits_for_the_next_minute_where_an_order_need_not(
    server: BinanceServer, access: binance.Access, account: BinanceAccount
) -> None:
    await account.balances(["BTCUSDT"])
    access.budget.told(access.budget.limit // 2, clock.monotonic())
    asked = len(server.requests)
    with pytest.raises(VenueError, match="kept for orders") as put_off:
        await account.statement(HUNDRED, START)
    assert put_off.value.fate is Fate.RETRY
    assert put_off.value.retry_after is not None
    assert len(server.requests) == asked
    assert await account.send(ticket("0.5", Side.BUY, "lt-1"))
