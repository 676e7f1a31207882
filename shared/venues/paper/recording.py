"""Rebuilds a book from the recorded facts of a session, through the very functions that built it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.market import Candle, CandleClosed
from shared.schemas.orders import OrderCancelled, OrderRejected, OrderSubmitted
from shared.schemas.session import SessionConfig
from shared.venues.paper.book import Book, opened, venue_order_id, without
from shared.venues.paper.entry import cancel, submit
from shared.venues.paper.matching import match

_TOLD = frozenset({RunnerStart, CandleClosed, OrderSubmitted, OrderCancelled, OrderRejected})


def rebuilt(config: SessionConfig, events: Iterable[Event]) -> tuple[Book, datetime]:
    """The book that a recorded run left, and the market's time there; `events` as `Rebuild` takes them."""
    rebuild = Rebuild(config)
    for event in events:
        rebuild.take(event)
    return rebuild.result()


class Rebuild:
    """Takes the events of one session in stream order, whole slices, any prefix of the run.

    Events other than those that concern the exchange are passed over. Candles of the warm-up only set the clock. With
    `book` and `clock`, the run goes on from there.
    """

    def __init__(self, config: SessionConfig, book: Book | None = None, clock: datetime | None = None) -> None:
        self._book = book or opened(config)
        self._clock = clock or datetime.min.replace(tzinfo=UTC)
        self._slice: list[CandleClosed] = []

    def take(self, event: Event) -> None:
        """The next event."""
        if type(event) not in _TOLD:
            return
        if self._slice and not _belongs(event, self._slice):
            self._close_slice()
        if isinstance(event, CandleClosed):
            self._slice.append(event)
        elif isinstance(event, RunnerStart):
            self._clock = max(self._clock, event.details.market_start)
        else:
            self._book = _with_order(self._book, event)

    def result(self) -> tuple[Book, datetime]:
        """The book and the market's time after what was taken."""
        if self._slice:
            self._close_slice()
        return self._book, self._clock

    def _close_slice(self) -> None:
        self._clock = self._slice[0].details.close_time
        self._book, _ = match(self._book, _traded(self._slice))
        self._slice = []


def _belongs(event: Event, pending: Sequence[CandleClosed]) -> bool:
    return isinstance(event, CandleClosed) and event.details.close_time == pending[0].details.close_time


def _traded(told: Sequence[CandleClosed]) -> list[Candle]:
    return [candle.details for candle in told if candle.phase != "strategy_phase"]


def _with_order(book: Book, event: Event) -> Book:
    """An order that the book took on and that was rejected all the same came with an expired approval."""
    if isinstance(event, OrderSubmitted):
        return submit(book, event.order, event.market_time)[0]
    if isinstance(event, OrderCancelled):
        return cancel(book, event.order.client_order_id, event.market_time, event.details.reason)[0]
    working = book.working.get(event.order.client_order_id)
    if working is None or venue_order_id(working) != event.order.venue_order_id:
        return book
    return without(book, working, "rejected")
