"""A simulated exchange restored at any point of a recorded run is the one that was running."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.approval import ApprovedOrder
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.market import CandleClosed
from shared.schemas.orders import OrderAccepted, OrderCancelled, OrderFilled, OrderRejected, OrderSubmitted
from shared.venues.paper import Book, PaperVenue
from shared.venues.port import Accepted, Cancelled, Filled, Rejected, Report
from tests.property.test_paper_exchange import Step, papers, steps
from tests.venues.paper_events import recorded
from tests.venues.paper_orders import MINUTE, START, session


def told(venue: PaperVenue, report: Report) -> Event:
    """The fact that the runner tells of a report."""
    match report:
        case Accepted(order):
            return recorded(OrderAccepted, venue.clock, order=order)
        case Rejected(order, reason):
            return recorded(OrderRejected, venue.clock, order=order, details={"reason": reason})
        case Filled(fill):
            return recorded(OrderFilled, venue.clock, order=fill)
        case Cancelled(order, reason):
            return recorded(OrderCancelled, venue.clock, order=order, details={"reason": reason})
        case _:
            raise AssertionError(f"a simulated exchange is never in doubt: {report}")


class Recorder:
    """Runs a story on a venue, keeps the stream, and the book at each of its safe points."""

    def __init__(self, paper: dict[str, Any]) -> None:
        self.config = session(paper=paper)
        self.venue = PaperVenue.opened(self.config, START)
        self.stream: list[Event] = []
        self.points: list[tuple[int, Book]] = []
        start = {
            "mode": "dry_run",
            "config": self.config,
            "config_digest": "",
            "core_digest": "",
            "market_start": START,
        }
        self._store([recorded(RunnerStart, START, details=start)])

    def _store(self, facts: Iterable[Event]) -> None:
        self.stream += facts
        self.points.append((len(self.stream), self.venue.book))

    async def step(self, step: Step, expired: bool) -> None:
        for name in step.cancelled:
            reports = await self.venue.cancel(name, "changed my mind")
            self._store([told(self.venue, report) for report in reports])
        expires_at = self.venue.clock + (timedelta(seconds=-1) if expired else MINUTE)
        for ticket in step.orders:
            submission = recorded(OrderSubmitted, self.venue.clock, order=ticket)
            reports = await self.venue.submit(ApprovedOrder(ticket, expires_at, "approval"))
            self._store([submission, *(told(self.venue, report) for report in reports)])
        reports = self.venue.advance(step.bars)
        closed = [recorded(CandleClosed, c.close_time, details=c, phase="api_phase") for c in step.bars]
        self._store([*closed, *(told(self.venue, report) for report in reports)])


async def record(paper: dict[str, Any], story: tuple[Step, ...], expired: tuple[bool, ...]) -> Recorder:
    recorder = Recorder(paper)
    for step, late in zip(story, expired, strict=False):
        await recorder.step(step, late)
    return recorder


@given(papers, steps(), st.tuples(*[st.booleans()] * 8))
def test_restoring_at_any_point_gives_the_book_of_that_point(
    paper: dict[str, Any], story: tuple[Step, ...], expired: tuple[bool, ...]
) -> None:
    recorder = asyncio.run(record(paper, story, expired))
    for length, book in recorder.points:
        restored = PaperVenue.restore(recorder.config, recorder.stream[:length])
        assert restored.book == book
    assert restored.clock == recorder.venue.clock
