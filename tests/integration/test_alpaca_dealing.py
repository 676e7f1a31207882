"""Orders at the Alpaca test server through alpaca-py: sent once, and never in doubt for good."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.runner.live import calling
from shared.schemas.orders import Ticket
from shared.schemas.values import OrderType, Side
from shared.venues import alpaca
from shared.venues.alpaca import orders
from shared.venues.alpaca.account import AlpacaAccount
from shared.venues.trouble import VenueError
from shared.venues.words import Absent, Doubtful, Executed, Shown, Word
from tests.dealing_desk import Desk, dealing_at
from tests.venues.alpaca.reading import read_terms
from tests.venues.alpaca.server import START, AlpacaServer
from tests.venues.faults import Fault
from tests.venues.market import candle
from tests.venues.paper_orders import ticket

SEND = "POST /v2/orders"
LOOK = "GET /v2/orders:by_client_order_id"
MINUTE = timedelta(minutes=1)
BTC, AAPL = "BTC/USD", "AAPL"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AlpacaServer]:
    monkeypatch.setattr(calling, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(AlpacaAccount, "proof_seconds", 0.2)
    async with AlpacaServer(limit=10_000) as server:
        server.market.know([candle(BTC, START, "100"), candle(AAPL, START, "200")])
        yield server


@pytest.fixture
async def desk(server: AlpacaServer) -> AsyncIterator[Desk]:
    account = alpaca.account(access(server))
    await account.open()
    desk = Desk(account, {BTC: Decimal(0), AAPL: Decimal(0)}, lambda: len(server.orders))
    async with dealing_at(desk):
        while not server.trade_stream.listening:
            await asyncio.sleep(0.01)
        yield desk
    await account.close()


def access(server: AlpacaServer) -> alpaca.Access:
    return alpaca.Access(True, server.key, server.secret, server.url, server.url, server.ws_url)


def buy(name: str, symbol: str = BTC, qty: str = "0.5", **fields: object) -> Ticket:
    return ticket(qty, Side.BUY, name, symbol=symbol, **fields)


async def filled(desk: Desk, qty: str) -> list[Executed]:
    """The executions, each once, as soon as they add up to `qty`."""
    async with asyncio.timeout(20):
        while True:
            found = {word.trade_id: word for word in desk.words if isinstance(word, Executed)}
            if sum(word.qty for word in found.values()) >= Decimal(qty):
                return list(found.values())
            await asyncio.sleep(0.02)


async def test_a_pair_arrives_and_costs_a_part_of_what_was_bought(desk: Desk) -> None:
    await desk.send(buy("lt-1"))
    fill = await desk.until(Executed)
    assert isinstance(fill, Executed)
    assert (fill.qty, fill.price, fill.fee, fill.fee_asset, fill.liquidity) == (
        Decimal("0.5"),
        Decimal(100),
        Decimal("0.00125"),
        "BTC",
        "taker",
    )
    assert (await desk.dealing.account()).holdings[0].qty == Decimal("0.49875")


async def test_an_answer_without_the_accounts_tier_leaves_the_fees_as_they_were(server: AlpacaServer) -> None:
    account = alpaca.account(access(server))
    server.standing.crypto_tier = 3
    await account.standing()
    server.faults.next(Fault.MISSING_FIELDS, "GET /v2/account")
    await account.standing()
    await account.send(buy("lt-1"))
    fill = next(word for word in await account.look(buy("lt-1")) if isinstance(word, Executed))
    assert fill.fee == Decimal("0.001")
    await account.close()


async def test_a_stock_is_free_and_may_be_bought_in_parts(desk: Desk, server: AlpacaServer) -> None:
    await desk.send(buy("lt-1", AAPL, "0.5"))
    fill = await desk.until(Executed)
    assert isinstance(fill, Executed)
    assert (fill.qty, fill.price, fill.fee) == (Decimal("0.5"), Decimal(200), Decimal(0))
    assert server.orders[0].terms.time_in_force == "day"


async def test_a_limit_that_stood_pays_less(desk: Desk, server: AlpacaServer) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    await server.market.play(candle(BTC, START + MINUTE, "100", "101", "85", "95"))
    fill = await desk.until(Executed)
    assert isinstance(fill, Executed)
    assert (fill.liquidity, fill.fee) == ("maker", server.fills[0].fee)


async def test_stream_and_activities_name_the_same_trades_alike(desk: Desk, server: AlpacaServer) -> None:
    server.faults.next(Fault.PARTIAL)
    await desk.send(buy("lt-1"))
    streamed = await filled(desk, "0.5")
    looked = await alpaca.account(access(server)).look(buy("lt-1"))
    assert len(streamed) == 2
    assert streamed == [word for word in looked if isinstance(word, Executed)]


@pytest.mark.parametrize("fault", [Fault.REORDERED, Fault.DUPLICATED, Fault.CUT])
async def test_trades_count_once_whatever_the_stream_does_to_them(
    desk: Desk, server: AlpacaServer, fault: Fault
) -> None:
    await desk.send(buy("lt-1", price="90", qty="0.5"))
    await desk.until(Shown, "working")
    server.faults.next(Fault.PARTIAL)
    server.faults.next(fault, "stream trade_updates")
    await server.market.play(candle(BTC, START + MINUTE, "89", "89", "80", "85"))
    assert sum(fill.qty for fill in await filled(desk, "0.5")) == Decimal("0.5")


async def test_a_trade_that_does_not_take_up_where_the_last_one_ended_is_looked_up(server: AlpacaServer) -> None:
    account = alpaca.account(access(server))
    told: list[Word] = []
    asked: list[None] = []
    following = asyncio.ensure_future(account.follow(told.extend, lambda: asked.append(None)))
    async with asyncio.timeout(20):
        while not asked:
            await asyncio.sleep(0.01)
        server.faults.next(Fault.PARTIAL)
        server.exchange.place(read_terms(orders.request_of(buy("lt-1")), server.exchange.assets, "unused"))
        server.exchange.advance()
        server.exchange.events = [each for each in server.exchange.events if each.kind != "partial_fill"]
        await server.trade_stream.publish()
        while len(asked) < 2:
            await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await account.close()
    assert not [word for word in told if isinstance(word, Executed)]


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.SERVER_ERROR_EXECUTED])
async def test_an_order_whose_answer_is_lost_is_found_and_not_sent_again(
    desk: Desk, server: AlpacaServer, fault: Fault
) -> None:
    server.faults.next(fault, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Doubtful)
    await desk.until(Executed)
    assert desk.placed == 1


async def test_an_answer_that_comes_too_late_is_as_good_as_lost(
    desk: Desk, server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.venues.alpaca.client.TIMEOUT_SECONDS", (1.0, 0.1))
    server.faults.next(Fault.ANSWER_LATE, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Doubtful)
    await desk.until(Executed)
    assert desk.placed == 1


async def test_no_kind_of_server_error_sends_an_order_twice(desk: Desk, server: AlpacaServer) -> None:
    server.faults.next(Fault.SERVER_ERROR_EXECUTED, SEND, times=4)
    for name in ("lt-1", "lt-2", "lt-3", "lt-4"):
        await desk.send(buy(name))
    await filled(desk, "2")
    assert (desk.placed, len([one for one in server.requests if one.name == SEND])) == (4, 4)


async def test_an_order_that_never_arrived_is_absent_after_several_answers_and_enough_time(
    desk: Desk, server: AlpacaServer
) -> None:
    server.faults.next(Fault.REQUEST_LOST, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Doubtful)
    await desk.until(Absent)
    assert desk.placed == 0


async def test_a_busy_venue_is_tried_again_when_it_says_and_only_then(desk: Desk, server: AlpacaServer) -> None:
    server.faults.next(Fault.TOO_MANY_REQUESTS, SEND)
    began = asyncio.get_running_loop().time()
    await desk.send(buy("lt-1"))
    await desk.until(Executed)
    assert (desk.placed, asyncio.get_running_loop().time() - began >= server.faults.retry_after) == (1, True)


async def test_a_venue_that_can_not_be_reached_has_nothing_and_is_tried_again(server: AlpacaServer) -> None:
    account = alpaca.account(alpaca.Access(True, server.key, server.secret, "http://127.0.0.1:9"))
    with pytest.raises(VenueError) as refused:
        await account.send(buy("lt-1"))
    assert refused.value.fate == "retry"


@pytest.mark.parametrize("call", [SEND, LOOK, "stream trade_updates"])
async def test_fields_and_values_that_are_missing_or_new_lose_no_order(
    desk: Desk, server: AlpacaServer, call: str
) -> None:
    server.faults.next(Fault.MISSING_FIELDS, call)
    server.faults.next(Fault.UNKNOWN_FIELDS, call)
    await desk.send(buy("lt-1"))
    await desk.send(buy("lt-2", price="90"))
    await desk.until(Executed)
    await desk.until(Shown, "working")
    await desk.dealing.cancel("lt-2", "test")
    await desk.until(Shown, "cancelled")


@pytest.mark.parametrize("broken", [orders.answered, orders.shown, orders.reported])
async def test_an_answer_that_can_not_be_read_is_asked_for_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, broken: Callable[..., object]
) -> None:
    calls = []

    def unreadable_once(*given: object) -> object:
        calls.append(given)
        if len(calls) == 1:
            raise KeyError("id")
        return broken(*given)

    monkeypatch.setattr(orders, broken.__name__, unreadable_once)
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    await desk.dealing.cancel("lt-1", "test")
    await desk.until(Shown, "cancelled")
    assert desk.placed == 1


async def test_what_the_venue_refuses_is_rejected_with_its_reason(desk: Desk) -> None:
    await desk.send(buy("lt-1", AAPL, "1", price="199.999"))
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert "sub-penny" in refused.reason


async def test_an_order_that_the_venue_has_not_is_rejected_and_never_sent(desk: Desk) -> None:
    await desk.send(ticket("0.5", Side.SELL, "lt-1", symbol=BTC, stop_price="90"))
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert ("stop_limit" in refused.reason, desk.placed) == (True, 0)


async def test_a_stock_is_not_ordered_while_the_exchange_is_closed(
    desk: Desk, server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)

    async def now(self: object) -> datetime:
        return evening

    monkeypatch.setattr("shared.venues.alpaca.calendar.Calendar.now", now)
    await desk.send(buy("lt-1", AAPL, "1"))
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert (refused.reason.partition("it opens at ")[2], desk.placed) == ("2026-01-06T14:30:00.000000Z", 0)
    await desk.send(buy("lt-2"))
    await desk.until(Executed)


async def test_in_extended_hours_a_limit_order_that_asks_for_them_fills_and_no_other_is_sent(
    server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning = datetime(2026, 1, 6, 13, 0, tzinfo=UTC)

    async def now(self: object) -> datetime:
        return morning

    monkeypatch.setattr("shared.venues.alpaca.calendar.Calendar.now", now)
    server.market.know([candle(AAPL, morning, "200")])
    account = alpaca.account(access(server))
    await account.open()
    with pytest.raises(VenueError, match="closed"):
        await account.send(buy("lt-1", AAPL, "1", price="201"))
    asked = buy("lt-2", AAPL, "1", price="201", extended_hours=True)
    await account.send(asked)
    assert any(isinstance(word, Executed) for word in await account.look(asked))
    (order,) = server.orders
    assert (order.terms.extended_hours, order.terms.time_in_force) == (True, "day")
    await account.close()


async def test_hours_that_can_not_be_had_leave_no_order_in_doubt(
    desk: Desk, server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.venues.alpaca.calendar._KEPT_SECONDS", 0.0)
    server.faults.next(Fault.SERVER_ERROR, "GET /v2/calendar")
    await desk.send(buy("lt-1", AAPL, "1"))
    await desk.until(Executed)
    assert (desk.placed, [word for word in desk.words if isinstance(word, Doubtful)]) == (1, [])


async def test_a_kill_between_two_attempts_keeps_an_order_from_ever_being_sent(
    desk: Desk, server: AlpacaServer
) -> None:
    server.faults.rate(Fault.TOO_MANY_REQUESTS, 1.0, SEND)
    await desk.send(buy("lt-1"))
    while not server.faults.drawn[Fault.TOO_MANY_REQUESTS]:
        await asyncio.sleep(0.01)
    desk.obstacle = "killed before it was sent"
    server.faults.clear()
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert (refused.reason, desk.placed) == ("killed before it was sent", 0)


async def test_an_order_that_a_runner_before_us_left_in_doubt_is_settled(desk: Desk) -> None:
    desk.in_flight["lt-1"] = buy("lt-1")
    desk.dealing.resolve(buy("lt-1"))
    assert isinstance(await desk.until(Absent), Absent)


async def test_a_cancel_whose_answer_is_lost_is_seen_through(desk: Desk, server: AlpacaServer) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    server.faults.next(Fault.SERVER_ERROR_EXECUTED, "DELETE /v2/orders/*")
    await desk.dealing.cancel("lt-1", "kill")
    await desk.until(Shown, "cancelled")
    assert (await desk.dealing.account()).open_orders == ()


async def test_a_fill_while_the_stream_was_cut_is_found_by_rest(desk: Desk, server: AlpacaServer) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    server.trade_stream.listening = False
    server.cut_streams()
    await server.market.play(candle(BTC, START + MINUTE, "100", "101", "85", "95"))
    await desk.until(Executed)


async def test_the_session_sees_only_what_it_holds_itself(desk: Desk) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    seen = await desk.dealing.account()
    assert (seen.open_orders, seen.holdings) == (("lt-1",), ())


async def test_a_blocked_account_does_not_open(server: AlpacaServer) -> None:
    server.standing.trade_suspended_by_user = True
    account = alpaca.account(access(server))
    with pytest.raises(VenueError, match="trade_suspended_by_user"):
        await account.open()


async def test_a_statement_shows_what_was_executed_and_what_is_held_and_open(desk: Desk, server: AlpacaServer) -> None:
    await desk.send(buy("lt-1"))
    fill = await desk.until(Executed)
    await desk.send(buy("lt-2", type=OrderType.LIMIT, price=Decimal(90)))
    await desk.until(Shown, "working")
    account = alpaca.account(access(server))
    while not (found := await account.statement([BTC, AAPL], START - MINUTE)).open_orders:
        await asyncio.sleep(0.02)
    assert [(each.symbol, each.side, each.word) for each in found.executions] == [(BTC, Side.BUY, fill)]
    assert [(each.client_order_id, each.symbol) for each in found.open_orders] == [("lt-2", BTC)]
    assert isinstance(fill, Executed)
    assert found.balances == {"BTC": fill.qty - fill.fee, "AAPL": Decimal(0)}
    await account.close()


async def test_an_accounts_standing_tells_its_blocks_and_that_a_keys_rights_can_not_be_read(
    server: AlpacaServer,
) -> None:
    account = alpaca.account(access(server))
    found = await account.standing()
    assert found.blocks == ()
    assert found.free["USD"] > 0
    assert found.rights.removals is None
    assert "withdraw" in found.rights.untold
    server.standing.trading_blocked = True
    assert (await account.standing()).blocks == ("trading_blocked",)
    await account.close()


async def test_a_market_lists_what_it_knows_and_shows_its_clock(server: AlpacaServer) -> None:
    market = alpaca.market(access(server), [AAPL, BTC, "NOSUCH"], "1m")
    listings = await market.listings()
    assert {symbol: (each.base, each.quote, each.trading) for symbol, each in listings.items()} == {
        AAPL: ("AAPL", "USD", True),
        BTC: ("BTC", "USD", True),
    }
    assert OrderType.STOP not in listings[BTC].order_types
    assert (await market.server_time()).tzinfo is not None
    await market.close()
