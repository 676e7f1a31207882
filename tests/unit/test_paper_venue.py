"""The simulated exchange behind the venue port, and its restoration from recorded facts."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from shared.domain.approval import ApprovedOrder
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.market import CandleClosed
from shared.schemas.orders import OrderCancelled, OrderRejected, OrderSubmitted, Ticket
from shared.venues.paper import PaperVenue
from shared.venues.port import Accepted, Cancelled, Rejected, Venue
from tests.venues.paper_events import recorded
from tests.venues.paper_orders import ETH, MINUTE, START, bar, buy, fills, only_fill, sell, session

T = TypeVar("T")
RISING = "100 104 98 102"


def now(answer: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(answer)


def approved(ticket: Ticket, valid_for: timedelta = MINUTE) -> ApprovedOrder:
    return ApprovedOrder(ticket, START + valid_for, "approval")


def venue() -> PaperVenue:
    return PaperVenue.opened(session(), START)


def started() -> RunnerStart:
    config = session()
    details = {
        "mode": "dry_run",
        "config": config,
        "config_digest": config.digest(),
        "core_digest": "c",
        "market_start": START,
    }
    return recorded(RunnerStart, START, details=details)


def closed(prices: str, minute: int = 0, symbol: str = "BTCUSDT", phase: str = "api_phase") -> CandleClosed:
    candle = bar(prices, minute, symbol)
    return recorded(CandleClosed, candle.close_time, details=candle, phase=phase)


def submission(ticket: Ticket) -> OrderSubmitted:
    return recorded(OrderSubmitted, START, order=ticket)


def restored(*events: Event) -> PaperVenue:
    return PaperVenue.restore(session(), [started(), *events])


def test_is_a_venue() -> None:
    as_port: Venue = venue()
    assert now(as_port.account()).open_orders == ()


def test_works_an_approved_order_and_fills_it_with_the_next_slice() -> None:
    exchange = venue()
    (report,) = now(exchange.submit(approved(buy("2", name="a"))))
    assert isinstance(report, Accepted)
    assert only_fill(exchange.advance([bar(RISING)])).qty == 2
    assert [held.qty for held in now(exchange.account()).holdings] == [2]
    state = now(exchange.order("a"))
    assert state is not None
    assert state.status == "filled"


def test_its_clock_stands_at_the_last_slices_close() -> None:
    exchange = venue()
    exchange.advance([bar(RISING)])
    exchange.advance([])
    assert exchange.clock == START + MINUTE


def test_rejects_an_order_whose_approval_has_expired() -> None:
    exchange = venue()
    exchange.advance([bar(RISING), bar(RISING, symbol=ETH)])
    (report,) = now(exchange.submit(approved(buy(name="a"), valid_for=timedelta(seconds=59))))
    assert isinstance(report, Rejected)
    assert "approval expired at 2026-01-05T09:30:59" in report.reason
    assert exchange.advance([bar(RISING, 1)]) == ()


def test_an_approval_holds_up_to_its_last_instant() -> None:
    exchange = venue()
    exchange.advance([bar(RISING)])
    assert isinstance(now(exchange.submit(approved(buy())))[0], Accepted)


def test_cancels_a_working_order() -> None:
    exchange = venue()
    now(exchange.submit(approved(buy(name="a", price="90"))))
    (report,) = now(exchange.cancel("a", "changed my mind"))
    assert isinstance(report, Cancelled)
    assert now(exchange.cancel("a", "again")) == ()


def test_restores_what_was_filled_what_works_and_the_clock() -> None:
    exchange = restored(submission(buy("2", name="a")), closed(RISING), submission(sell("1", name="s", price="120")))
    assert exchange.book.cash == Decimal(10000) - 200 - Decimal("0.2")
    assert now(exchange.account()).open_orders == ("s",)
    assert exchange.clock == START + MINUTE


def test_restores_the_clock_of_a_session_that_has_just_begun() -> None:
    assert restored().clock == START


def test_restores_an_order_whose_answer_was_never_recorded() -> None:
    state = now(restored(submission(buy(name="a"))).order("a"))
    assert state is not None
    assert state.status == "accepted"


def test_candles_of_the_warm_up_trade_nothing() -> None:
    exchange = restored(submission(buy(name="a")), closed(RISING, phase="strategy_phase"))
    assert now(exchange.account()).open_orders == ("a",)
    assert exchange.clock == START + MINUTE


def test_candles_that_close_together_are_one_slice() -> None:
    """The paths reach the order of the later symbol first, so its trade has the lower number."""
    later, sooner = buy(price="99"), buy(symbol=ETH)
    exchange = venue()
    for order in (later, sooner):
        now(exchange.submit(approved(order)))
    reports = exchange.advance([bar(RISING), bar(RISING, symbol=ETH)])
    assert [fill.symbol for fill in fills(reports)] == [ETH, "BTCUSDT"]
    replayed = restored(submission(later), submission(sooner), closed(RISING), closed(RISING, symbol=ETH))
    assert replayed.book == exchange.book


def test_restores_a_cancellation() -> None:
    exchange = venue()
    now(exchange.submit(approved(order := buy(name="a", price="90"))))
    (report,) = now(exchange.cancel("a", "late"))
    assert isinstance(report, Cancelled)
    cancelled = recorded(OrderCancelled, START, order=report.order, details={"reason": report.reason})
    assert restored(submission(order), cancelled).book == exchange.book


def test_restores_a_rejection_for_an_expired_approval() -> None:
    exchange = venue()
    (report,) = now(exchange.submit(approved(order := buy(name="a"), valid_for=-MINUTE)))
    assert isinstance(report, Rejected)
    rejected = recorded(OrderRejected, START, order=report.order, details={"reason": report.reason})
    assert restored(submission(order), rejected).book == exchange.book


def test_a_duplicates_recorded_rejection_leaves_the_first_order_working() -> None:
    exchange = venue()
    order = buy(name="a", price="90")
    now(exchange.submit(approved(order)))
    (report,) = now(exchange.submit(approved(order)))
    assert isinstance(report, Rejected)
    rejected = recorded(OrderRejected, START, order=report.order, details={"reason": report.reason})
    assert restored(submission(order), submission(order), rejected).book == exchange.book
