"""Orders at the Binance test server through the unmodified ccxt: sent once, and never in doubt for good."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.runner.core.inputs import CallFailed, LinkLost, LinkRestored
from services.runner.live import calling
from shared.runtime import clock
from shared.schemas.orders import Ticket
from shared.schemas.values import OrderType, Side
from shared.venues import binance
from shared.venues.binance import orders
from shared.venues.binance.account import BinanceAccount
from shared.venues.words import Absent, Doubtful, Executed, Shown
from tests.dealing_desk import Desk, dealing_at
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.server import BinanceServer
from tests.venues.faults import Fault
from tests.venues.market import candle
from tests.venues.paper_orders import ticket

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
SEND = "POST /api/v3/order"


@pytest.fixture
async def server() -> AsyncIterator[BinanceServer]:
    async with BinanceServer() as server:
        server.account.fund(USDT="1000", BTC="2", BNB="0")
        await server.market.play(candle("BTCUSDT", START, "100"))
        yield server


@pytest.fixture
async def access(server: BinanceServer) -> binance.Access:
    return binance.Access(True, KEY, SECRET, server.url, server.ws_url, server.ws_url)


@pytest.fixture
async def desk(server: BinanceServer, access: binance.Access, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(calling, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(BinanceAccount, "proof_seconds", 0.2)
    account = binance.account(access)
    await account.open()
    desk = Desk(account, {"BTCUSDT": Decimal(2)}, lambda: len(server.account.exchange.books.orders))
    async with dealing_at(desk):
        yield desk
    await account.close()


def buy(name: str, **fields: object) -> Ticket:
    return ticket("0.5", Side.BUY, name, **fields)


async def test_a_market_order_arrives_and_fills_with_the_venues_own_figures(desk: Desk) -> None:
    await desk.send(buy("lt-1"))
    fill = await desk.until(Executed)
    assert isinstance(fill, Executed)
    assert (fill.qty, fill.price, fill.fee, fill.fee_asset) == (
        Decimal("0.5"),
        Decimal("100.01"),
        Decimal("0.0005"),
        "BTC",
    )
    assert (await desk.dealing.account()).holdings[0].qty == Decimal("0.4995")


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.SERVER_ERROR_EXECUTED])
async def test_an_order_whose_answer_is_lost_is_found_and_not_sent_again(
    desk: Desk, server: BinanceServer, fault: Fault
) -> None:
    server.faults.next(fault, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Doubtful)
    await desk.until(Executed)
    assert desk.placed == 1


async def test_an_order_that_never_arrived_is_absent_after_several_answers_and_enough_time(
    desk: Desk, server: BinanceServer
) -> None:
    server.faults.next(Fault.REQUEST_LOST, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Doubtful)
    await desk.until(Absent)
    assert desk.placed == 0


async def test_a_busy_venue_and_a_clock_that_is_off_are_tried_again(desk: Desk, server: BinanceServer) -> None:
    server.faults.next(Fault.TOO_MANY_REQUESTS, SEND)
    server.faults.next(Fault.CLOCK, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Executed)
    assert desk.placed == 1


async def test_a_clock_that_can_not_be_measured_ends_nothing(desk: Desk, server: BinanceServer) -> None:
    server.faults.next(Fault.CLOCK, SEND)
    server.faults.next(Fault.SERVER_ERROR, "GET /api/v3/time", times=2)
    await desk.send(buy("lt-1"))
    await desk.until(Executed)


@pytest.mark.parametrize("call", [SEND, "GET /api/v3/order", "stream executionReport"])
async def test_fields_that_are_missing_or_new_lose_no_order(desk: Desk, server: BinanceServer, call: str) -> None:
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
            raise KeyError("orderId")
        return broken(*given)

    monkeypatch.setattr(orders, broken.__name__, unreadable_once)
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    await desk.dealing.cancel("lt-1", "test")
    await desk.until(Shown, "cancelled")
    assert desk.placed == 1


async def test_what_the_venue_refuses_is_rejected_with_its_reason(desk: Desk) -> None:
    await desk.send(buy("lt-1", price="100.001"))
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert "PRICE_FILTER" in refused.reason


async def test_a_stop_that_the_market_has_passed_is_refused_by_the_venue_itself(desk: Desk) -> None:
    await desk.send(ticket("0.5", Side.SELL, "lt-1", stop_price=Decimal(101), reduce_only=True))
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert ("would trigger immediately" in refused.reason, refused.never_sent) == (True, False)


async def test_a_kill_between_two_attempts_keeps_an_order_from_ever_being_sent(
    desk: Desk, server: BinanceServer
) -> None:
    server.faults.rate(Fault.TOO_MANY_REQUESTS, 1.0, SEND)
    await desk.send(buy("lt-1"))
    while not server.faults.drawn[Fault.TOO_MANY_REQUESTS]:
        await asyncio.sleep(0.01)
    desk.obstacle = "killed before it was sent"
    server.faults.clear()
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert (refused.reason, refused.never_sent, desk.placed) == ("killed before it was sent", True, 0)


async def test_an_order_that_a_runner_before_us_left_in_doubt_is_settled(desk: Desk) -> None:
    desk.in_flight["lt-1"] = buy("lt-1")
    desk.dealing.resolve(buy("lt-1"))
    assert isinstance(await desk.until(Absent), Absent)


async def test_an_order_that_is_taken_back_again_is_cancelled_once(desk: Desk, server: BinanceServer) -> None:
    await desk.send(buy("lt-1", type=OrderType.LIMIT, price=Decimal(50)))
    await desk.until(Shown, "working")
    desk.dealing.take_back("lt-1", "kill")
    await desk.dealing.cancel("lt-1", "kill")
    await desk.until(Shown, "cancelled")
    await desk.dealing.cancel("lt-1", "kill")
    await asyncio.sleep(0.1)
    assert [one.name for one in server.requests].count("DELETE /api/v3/order") == 1


async def test_a_cancel_whose_answer_is_lost_is_seen_through(desk: Desk, server: BinanceServer) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    server.faults.next(Fault.SERVER_ERROR_EXECUTED, "DELETE /api/v3/order")
    await desk.dealing.cancel("lt-1", "kill")
    await desk.until(Shown, "cancelled")
    assert (await desk.dealing.account()).open_orders == ()


async def test_a_fill_while_the_stream_was_cut_is_found_by_rest(desk: Desk, server: BinanceServer) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    server.faults.rate(Fault.REQUEST_LOST, 1.0, "CONNECT /ws-api/v3")
    server.cut_streams()
    await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "100", "101", "85", "95"))
    server.faults.clear()
    await desk.until(Executed)


async def test_an_account_stream_that_the_venue_ends_by_a_word_is_taken_up_again(
    desk: Desk, server: BinanceServer
) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    while not server.publishing.subscribers:
        await asyncio.sleep(0.01)
    await server.announce_shutdown()
    await server.terminate_user_streams()
    while not any(isinstance(trouble, LinkRestored) for trouble in desk.troubles):
        await asyncio.sleep(0.01)
    assert any(isinstance(trouble, LinkLost) for trouble in desk.troubles)
    assert server.publishing.subscribers
    await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "100", "101", "85", "95"))
    await desk.until(Executed)


async def test_the_session_sees_only_what_it_holds_itself(desk: Desk) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    seen = await desk.dealing.account()
    assert (seen.open_orders, seen.holdings) == (("lt-1",), ())


async def test_during_a_ban_nothing_is_asked_not_even_a_cancel(desk: Desk, server: BinanceServer) -> None:
    await desk.send(buy("lt-1", type=OrderType.LIMIT, price=Decimal(90)))
    await desk.until(Shown, "working")
    server.faults.next(Fault.BANNED, SEND)
    await desk.send(buy("lt-2"))
    while not server.faults.drawn[Fault.BANNED]:
        await asyncio.sleep(0.01)
    asked = len(server.requests)
    await desk.dealing.cancel("lt-1", "kill")
    await asyncio.sleep(0.6)
    assert len(server.requests) == asked
    await desk.until(Shown, "cancelled")
    assert (await desk.until(Executed)).client_order_id == "lt-2"


async def test_an_order_is_not_kept_for_the_end_of_a_ban_that_outlasts_its_approval(
    desk: Desk, access: binance.Access
) -> None:
    access.budget.close(3600, clock.monotonic())
    await desk.send(buy("lt-1"), valid=timedelta(seconds=0.3))
    while not any(isinstance(trouble, CallFailed) and trouble.wait for trouble in desk.troubles):
        await asyncio.sleep(0.01)
    desk.obstacle = "the guard's approval had expired before it could be sent"
    end = await desk.until(Shown, "rejected")
    assert isinstance(end, Shown)
    assert (end.reason, desk.placed) == (desk.obstacle, 0)


async def test_questions_leave_the_last_part_of_the_minutes_weight_to_cancels(
    desk: Desk, server: BinanceServer
) -> None:
    await desk.send(buy("lt-1", type=OrderType.LIMIT, price=Decimal(90)))
    await desk.until(Shown, "working")
    server.venue.weight.used = int(server.venue.weight.limit * 0.95)
    await desk.send(buy("lt-2", type=OrderType.LIMIT, price=Decimal(90)))
    await asyncio.sleep(0.3)
    await desk.send(buy("lt-3", type=OrderType.LIMIT, price=Decimal(90)))
    await desk.dealing.cancel("lt-1", "kill")
    await desk.until(Shown, "cancelled")
    assert [order.wanted.client_id for order in server.account.exchange.books.orders.values()] == ["lt-1", "lt-2"]
    assert any(isinstance(trouble, CallFailed) and "held back" in trouble.reason for trouble in desk.troubles)
