"""Rebuilds a book from the recorded facts of a session, through the very functions that built it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.market import Candle, CandleClosed
from shared.schemas.orders import OrderCancelled, OrderRejected, OrderSubmitted
from shared.schemas.session import SessionConfig
from shared.venues.paper.book import Book, opened, venue_order_id, without
from shared.venues.paper.entry import cancel, submit
from shared.venues.paper.matching import match

_TOLD = (RunnerStart, CandleClosed, OrderSubmitted, OrderCancelled, OrderRejected)
Told = RunnerStart | OrderSubmitted | OrderCancelled | OrderRejected
Slice = list[CandleClosed]


def rebuilt(config: SessionConfig, events: Iterable[Event]) -> tuple[Book, datetime]:
    """The book that a recorded run left, and the market's time there.

    `events` are those of one session in stream order, whole slices, any prefix of the run; others than those that
    concern the exchange are passed over. Candles of the warm-up only set the clock.
    """
    book, clock = opened(config), datetime.min.replace(tzinfo=UTC)
    for told in _slices(events):
        if isinstance(told, list):
            clock = told[0].details.close_time
            book, _ = match(book, _traded(told))
        elif isinstance(told, RunnerStart):
            clock = max(clock, told.details.market_start)
        else:
            book = _with_order(book, told)
    return book, clock


def _slices(events: Iterable[Event]) -> Iterator[Slice | Told]:
    pending: Slice = []
    for event in events:
        if not isinstance(event, _TOLD):
            continue
        if pending and not _belongs(event, pending):
            yield pending
            pending = []
        if isinstance(event, CandleClosed):
            pending.append(event)
        else:
            yield event
    if pending:
        yield pending


def _belongs(event: Event, pending: Slice) -> bool:
    return isinstance(event, CandleClosed) and event.details.close_time == pending[0].details.close_time


def _traded(told: Slice) -> list[Candle]:
    return [candle.details for candle in told if candle.phase != "strategy_phase"]


def _with_order(book: Book, event: OrderSubmitted | OrderCancelled | OrderRejected) -> Book:
    """An order that the book took on and that was rejected all the same came with an expired approval."""
    if isinstance(event, OrderSubmitted):
        return submit(book, event.order, event.market_time)[0]
    if isinstance(event, OrderCancelled):
        return cancel(book, event.order.client_order_id, event.market_time, event.details.reason)[0]
    working = book.working.get(event.order.client_order_id)
    if working is None or venue_order_id(working) != event.order.venue_order_id:
        return book
    return without(book, working, "rejected")
