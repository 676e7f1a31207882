"""Orders at the Binance test server through the unmodified ccxt: sent once, and never in doubt for good."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.runner.core.inputs import VenueTrouble
from services.runner.live import calling
from services.runner.live.dealing import Dealing
from shared.domain.approval import ApprovedOrder
from shared.runtime import clock
from shared.schemas.orders import Ticket
from shared.schemas.values import Side
from shared.venues import binance
from shared.venues.binance import orders
from shared.venues.binance.account import BinanceAccount
from shared.venues.words import Absent, Doubtful, Executed, Shown, VenueSaid, Word
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.server import BinanceServer
from tests.venues.faults import Fault
from tests.venues.market import candle
from tests.venues.paper_orders import ticket

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
SEND = "POST /api/v3/order"


class Desk:
    """A session's orders at the server, and every word that was heard of them."""

    def __init__(self, server: BinanceServer, account: BinanceAccount) -> None:
        self.server = server
        self.words: list[Word] = []
        self.troubles: list[VenueTrouble] = []
        self.in_flight: dict[str, Ticket] = {}
        self.obstacle: str | None = None
        self._came = asyncio.Event()
        self.dealing = Dealing(
            account, {"BTCUSDT": Decimal(2)}, lambda: self.in_flight, lambda order: self.obstacle, self._hear
        )

    def _hear(self, said: VenueSaid | VenueTrouble) -> None:
        if isinstance(said, VenueSaid):
            self.words += said.words
        else:
            self.troubles.append(said)
        self._came.set()

    async def send(self, order: Ticket) -> None:
        self.in_flight[order.client_order_id] = order
        await self.dealing.submit(ApprovedOrder(order, clock.now() + timedelta(minutes=5), "approval"))

    async def until(self, kind: type[Word], standing: str | None = None) -> Word:
        """The first word of that kind, and of that standing."""
        while True:
            for word in self.words:
                if isinstance(word, kind) and standing in (None, getattr(word, "standing", None)):
                    return word
            self._came.clear()
            await asyncio.wait_for(self._came.wait(), 60)

    @property
    def placed(self) -> int:
        """How many orders the venue has ever seen."""
        return len(self.server.account.exchange.books.orders)


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(calling, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(BinanceAccount, "proof_seconds", 0.2)
    async with BinanceServer() as server:
        server.account.fund(USDT="1000", BTC="2", BNB="0")
        await server.market.play(candle("BTCUSDT", START, "100"))
        account = binance.account(binance.Access(True, KEY, SECRET, server.url, server.ws_url, server.ws_url))
        await account.open()
        desk = Desk(server, account)
        keeping = asyncio.ensure_future(desk.dealing.keep())
        try:
            yield desk
            assert not keeping.done(), keeping.exception()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
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
async def test_an_order_whose_answer_is_lost_is_found_and_not_sent_again(desk: Desk, fault: Fault) -> None:
    desk.server.faults.next(fault, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Doubtful)
    await desk.until(Executed)
    assert desk.placed == 1


async def test_an_order_that_never_arrived_is_absent_after_several_answers_and_enough_time(desk: Desk) -> None:
    desk.server.faults.next(Fault.REQUEST_LOST, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Doubtful)
    await desk.until(Absent)
    assert desk.placed == 0


async def test_a_busy_venue_and_a_clock_that_is_off_are_tried_again(desk: Desk) -> None:
    desk.server.faults.next(Fault.TOO_MANY_REQUESTS, SEND)
    desk.server.faults.next(Fault.CLOCK, SEND)
    await desk.send(buy("lt-1"))
    await desk.until(Executed)
    assert desk.placed == 1


async def test_a_clock_that_can_not_be_measured_ends_nothing(desk: Desk) -> None:
    desk.server.faults.next(Fault.CLOCK, SEND)
    desk.server.faults.next(Fault.SERVER_ERROR, "GET /api/v3/time", times=2)
    await desk.send(buy("lt-1"))
    await desk.until(Executed)


@pytest.mark.parametrize("call", [SEND, "GET /api/v3/order", "stream executionReport"])
async def test_fields_that_are_missing_or_new_lose_no_order(desk: Desk, call: str) -> None:
    desk.server.faults.next(Fault.MISSING_FIELDS, call)
    desk.server.faults.next(Fault.UNKNOWN_FIELDS, call)
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


async def test_a_kill_between_two_attempts_keeps_an_order_from_ever_being_sent(desk: Desk) -> None:
    desk.server.faults.rate(Fault.TOO_MANY_REQUESTS, 1.0, SEND)
    await desk.send(buy("lt-1"))
    while not desk.server.faults.drawn[Fault.TOO_MANY_REQUESTS]:
        await asyncio.sleep(0.01)
    desk.obstacle = "killed before it was sent"
    desk.server.faults.clear()
    refused = await desk.until(Shown, "rejected")
    assert isinstance(refused, Shown)
    assert (refused.reason, desk.placed) == ("killed before it was sent", 0)


async def test_an_order_that_a_runner_before_us_left_in_doubt_is_settled(desk: Desk) -> None:
    desk.in_flight["lt-1"] = buy("lt-1")
    desk.dealing.resolve(buy("lt-1"))
    assert isinstance(await desk.until(Absent), Absent)


async def test_a_cancel_whose_answer_is_lost_is_seen_through(desk: Desk) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    desk.server.faults.next(Fault.SERVER_ERROR_EXECUTED, "DELETE /api/v3/order")
    await desk.dealing.cancel("lt-1", "kill")
    await desk.until(Shown, "cancelled")
    assert (await desk.dealing.account()).open_orders == ()


async def test_a_fill_while_the_stream_was_cut_is_found_by_rest(desk: Desk) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    desk.server.faults.rate(Fault.REQUEST_LOST, 1.0, "CONNECT /ws-api/v3")
    desk.server.cut_streams()
    await desk.server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "100", "101", "85", "95"))
    desk.server.faults.clear()
    await desk.until(Executed)


async def test_the_session_sees_only_what_it_holds_itself(desk: Desk) -> None:
    await desk.send(buy("lt-1", price="90"))
    await desk.until(Shown, "working")
    seen = await desk.dealing.account()
    assert (seen.open_orders, seen.holdings) == (("lt-1",), ())
