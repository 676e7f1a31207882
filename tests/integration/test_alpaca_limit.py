"""The limit of requests at the Alpaca test server: kept by ourselves, and its last part for what brings down risk."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.schemas.orders import Ticket
from shared.schemas.values import Side
from shared.venues import alpaca, budget
from shared.venues.alpaca.account import AlpacaAccount
from shared.venues.trouble import Fate, VenueError
from tests.venues.alpaca.raw_client import raw_client
from tests.venues.alpaca.server import START, AlpacaServer
from tests.venues.faults import Fault
from tests.venues.market import candle
from tests.venues.paper_orders import ticket

LIMIT, KEPT = 60, 6
BTC, AAPL = "BTC/USD", "AAPL"


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    minute = 1_000_020.0
    async with AlpacaServer(limit=LIMIT, seconds=lambda: minute) as server:
        server.market.know([candle(BTC, START, "100"), candle(AAPL, START, "200")])
        yield server


@pytest.fixture
async def account(server: AlpacaServer) -> AsyncIterator[AlpacaAccount]:
    account = alpaca.account(access(server))
    await account.standing()
    yield account
    await account.close()


def access(server: AlpacaServer) -> alpaca.Access:
    return alpaca.Access(True, server.key, server.secret, server.url, server.url, server.ws_url)


def order(name: str, side: Side = Side.BUY, qty: str = "0.5", **fields: object) -> Ticket:
    return ticket(qty, side, name, symbol=BTC, **fields)


async def questions(account: AlpacaAccount, many: int) -> list[VenueError]:
    """The errors that so many questions at once end in."""
    answers = await asyncio.gather(*(account.holdings([BTC]) for _ in range(many)), return_exceptions=True)
    return [answer for answer in answers if isinstance(answer, VenueError)]


async def test_a_crowd_of_questions_never_meets_the_limit_and_waits_for_the_next_minute(
    account: AlpacaAccount, server: AlpacaServer
) -> None:
    held_back = await questions(account, 2 * LIMIT)
    assert len(server.requests) == LIMIT - KEPT
    assert len(held_back) == 2 * LIMIT - (LIMIT - KEPT - 1)
    assert {error.fate for error in held_back} == {Fate.RETRY}
    assert all(error.code is None and 0 < (error.retry_after or 0) <= budget.WINDOW_SECONDS for error in held_back)


async def test_a_cancel_and_an_exit_have_their_part_of_the_limit_and_an_entry_has_not(
    account: AlpacaAccount, server: AlpacaServer
) -> None:
    await account.send(order("lt-1"))
    await account.send(order("lt-2", price="90"))
    await questions(account, LIMIT)
    with pytest.raises(VenueError, match="held back"):
        await account.send(order("lt-3"))
    await account.cancel(order("lt-2", price="90"))
    await account.send(order("lt-4", Side.SELL, "0.1", reduce_only=True))
    assert [(each.terms.client_order_id, each.status) for each in server.orders] == [
        ("lt-1", "filled"),
        ("lt-2", "canceled"),
        ("lt-4", "filled"),
    ]


async def test_what_others_ask_with_the_same_account_counts_too(account: AlpacaAccount, server: AlpacaServer) -> None:
    async with raw_client(server) as other:
        for _ in range(LIMIT - KEPT - 2):
            await other.call("GET /v2/account")
    await account.holdings([BTC])
    with pytest.raises(VenueError, match="held back"):
        await account.holdings([BTC])


async def test_after_a_429_nothing_is_asked_for_as_long_as_the_venue_wants(
    account: AlpacaAccount, server: AlpacaServer
) -> None:
    server.faults.next(Fault.TOO_MANY_REQUESTS)
    with pytest.raises(VenueError) as refused:
        await account.holdings([BTC])
    assert (refused.value.code, refused.value.retry_after) == (42910000, server.faults.retry_after)
    came = len(server.requests)
    with pytest.raises(VenueError, match="wants to be left alone"):
        await account.cancel(order("lt-1"))
    assert len(server.requests) == came
    await asyncio.sleep(server.faults.retry_after)
    await account.holdings([BTC])


async def test_the_markets_data_have_a_limit_of_their_own_and_a_plan_may_have_more(server: AlpacaServer) -> None:
    server.access.limit = 1000
    market = alpaca.market(access(server), [BTC], "1m")
    await market.server_time()
    for _ in range(300):
        await market.server_time()
    await market.history(BTC, START - timedelta(minutes=1), START)
    await market.close()
