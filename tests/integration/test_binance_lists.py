"""A stop and a take-profit as one list at the Binance test server: neither doubled, nor lost, nor half of it left."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.runner.live import calling
from shared.schemas.orders import Ticket
from shared.schemas.values import Side
from shared.venues import binance
from shared.venues.binance.account import BinanceAccount
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Absent, Doubtful, Executed, Shown
from tests.dealing_desk import Desk, dealing_at
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.server import BinanceServer
from tests.venues.faults import Fault
from tests.venues.market import candle
from tests.venues.paper_orders import ticket

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
SEND = "POST /api/v3/orderList/oco"
HALF = Decimal("0.5")


@pytest.fixture
async def server() -> AsyncIterator[BinanceServer]:
    async with BinanceServer() as server:
        server.account.fund(USDT="1000", BTC="2", BNB="0")
        await server.market.play(candle("BTCUSDT", START, "100"))
        yield server


@pytest.fixture
async def desk(server: BinanceServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(calling, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(BinanceAccount, "proof_seconds", 0.2)
    account = binance.account(binance.Access(True, KEY, SECRET, server.url, server.ws_url, server.ws_url))
    await account.open()
    desk = Desk(account, {"BTCUSDT": Decimal(2)}, lambda: len(server.account.exchange.books.lists))
    async with dealing_at(desk):
        yield desk
    await account.close()


def both(name: str = "lt-1", **fields: object) -> Ticket:
    given = {"stop_price": "95", "take_profit": "110", "purpose": "stop", "reduce_only": True, **fields}
    return ticket("0.5", Side.SELL, name, **given)


async def move_to(server: BinanceServer, *prices: str) -> None:
    await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), *prices))


def is_over(server: BinanceServer) -> bool:
    return not server.account.exchange.books.open_orders("BTCUSDT")


@pytest.mark.parametrize("limit", [None, "94"])
async def test_a_list_stands_under_one_name(desk: Desk, server: BinanceServer, limit: str | None) -> None:
    await desk.send(both(price=limit))
    await desk.until(Shown, "working")
    assert {order.wanted.client_id for order in server.account.exchange.books.orders.values()} == {"lt-1s", "lt-1p"}
    assert (await desk.dealing.account()).open_orders == ("lt-1",)


@pytest.mark.parametrize(
    ("prices", "price"), [(("100", "111", "100", "105"), "110"), (("100", "100", "94", "96"), "95")]
)
async def test_the_fill_of_one_is_the_lists_and_ends_the_other(
    desk: Desk, server: BinanceServer, prices: tuple[str, ...], price: str
) -> None:
    await desk.send(both())
    await desk.until(Shown, "working")
    await move_to(server, *prices)
    fill = await desk.until(Executed)
    assert isinstance(fill, Executed)
    assert (fill.client_order_id, fill.qty) == ("lt-1", HALF)
    assert abs(fill.price - Decimal(price)) <= 1
    end = await desk.until(Shown, "filled")
    assert isinstance(end, Shown)
    assert (end.client_order_id, end.filled_qty) == ("lt-1", HALF)
    assert is_over(server)
    assert not [word for word in desk.words if getattr(word, "standing", None) in ("cancelled", "expired")]


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.SERVER_ERROR_EXECUTED])
async def test_a_list_whose_answer_is_lost_is_found_and_not_sent_again(
    desk: Desk, server: BinanceServer, fault: Fault
) -> None:
    server.faults.next(fault, SEND)
    await desk.send(both())
    await desk.until(Doubtful)
    await desk.until(Shown, "working")
    assert desk.placed == 1
    assert sum(request.name == SEND for request in server.requests) == 1


async def test_a_list_that_never_arrived_is_absent(desk: Desk, server: BinanceServer) -> None:
    server.faults.next(Fault.REQUEST_LOST, SEND)
    await desk.send(both())
    await desk.until(Doubtful)
    await desk.until(Absent)
    assert desk.placed == 0


async def test_a_fill_of_one_while_the_stream_was_cut_is_found_by_rest(desk: Desk, server: BinanceServer) -> None:
    await desk.send(both())
    await desk.until(Shown, "working")
    server.faults.rate(Fault.REQUEST_LOST, 1.0, "CONNECT /ws-api/v3")
    server.cut_streams()
    await move_to(server, "100", "111", "100", "105")
    server.faults.clear()
    await desk.until(Executed)
    end = await desk.until(Shown, "filled")
    assert isinstance(end, Shown)
    assert end.filled_qty == HALF


async def test_a_part_of_the_profit_ends_the_stop_and_a_cancel_ends_the_rest(desk: Desk, server: BinanceServer) -> None:
    server.faults.next(Fault.PARTIAL, "fill BTCUSDT", times=2)
    await desk.send(both())
    await desk.until(Shown, "working")
    await move_to(server, "100", "110", "100", "105")
    fill = await desk.until(Executed)
    assert isinstance(fill, Executed)
    assert fill.qty < HALF
    (left,) = server.account.exchange.books.open_orders("BTCUSDT")
    assert left.wanted.client_id == "lt-1p"
    await desk.dealing.cancel("lt-1", "its stop has ended")
    end = await desk.until(Shown, "cancelled")
    assert isinstance(end, Shown)
    assert end.filled_qty == sum((word.qty for word in set(desk.words) if isinstance(word, Executed)), Decimal(0))
    assert is_over(server)


async def test_a_read_that_lags_behind_one_of_the_two_is_no_word_on_the_list(desk: Desk, server: BinanceServer) -> None:
    desk.in_flight["lt-1"] = both()
    account = binance.account(binance.Access(True, KEY, SECRET, server.url, server.ws_url, server.ws_url))
    await account.open()
    await account.send(both())
    server.faults.next(Fault.STALE_READ, "GET /api/v3/order")
    with pytest.raises(VenueError) as trouble:
        await account.look(both())
    await account.close()
    assert trouble.value.fate is Fate.RETRY


async def test_a_cancel_whose_answer_is_lost_takes_both_back(desk: Desk, server: BinanceServer) -> None:
    await desk.send(both())
    await desk.until(Shown, "working")
    server.faults.next(Fault.SERVER_ERROR_EXECUTED, "DELETE /api/v3/orderList")
    await desk.dealing.cancel("lt-1", "kill")
    await desk.until(Shown, "cancelled")
    assert is_over(server)


async def test_a_market_beyond_the_take_profit_rejects_the_list_as_a_whole(desk: Desk, server: BinanceServer) -> None:
    await move_to(server, "111")
    await desk.send(both())
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert "relationship of the prices" in refused.reason
    assert is_over(server)


async def test_reports_that_are_doubled_and_out_of_order_end_the_list_once_both_have_ended(
    desk: Desk, server: BinanceServer
) -> None:
    server.faults.rate(Fault.DUPLICATED, 0.5, "stream executionReport")
    server.faults.rate(Fault.REORDERED, 0.5, "stream executionReport")
    await desk.send(both())
    await desk.until(Shown, "working")
    await move_to(server, "100", "100", "94", "96")
    await desk.until(Executed)
    end = await desk.until(Shown, "filled")
    assert isinstance(end, Shown)
    assert end.filled_qty == HALF
    await asyncio.sleep(0.2)
    assert not [word for word in desk.words if getattr(word, "standing", None) in ("cancelled", "expired")]


async def test_executions_of_a_list_are_ours_in_a_statement(desk: Desk, server: BinanceServer) -> None:
    await desk.send(both())
    await desk.until(Shown, "working")
    await move_to(server, "100", "111", "100", "105")
    await desk.until(Executed)
    account = binance.account(binance.Access(True, KEY, SECRET, server.url, server.ws_url, server.ws_url))
    await account.open()
    statement = await account.statement(("BTCUSDT",), datetime(2026, 1, 1, tzinfo=UTC))
    await account.close()
    assert {each.word.client_order_id for each in statement.executions} == {"lt-1"}
