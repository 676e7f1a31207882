"""The simulated exchange behind the venue port."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.domain.approval import ApprovedOrder
from shared.schemas.envelope import Event
from shared.schemas.market import Candle
from shared.schemas.orders import OrderState, VenueAccount
from shared.schemas.session import SessionConfig
from shared.schemas.values import iso
from shared.venues.paper import book as books
from shared.venues.paper import entry
from shared.venues.paper.book import Book
from shared.venues.paper.matching import match
from shared.venues.paper.recording import rebuilt
from shared.venues.port import Report


class PaperVenue:
    """Holds a book and the market's clock, which stands at the close of the last slice.

    Nothing is sent anywhere: after a crash, `restore` rebuilds the venue from the recorded facts.
    """

    def __init__(self, book: Book, clock: datetime) -> None:
        self.book = book
        self.clock = clock

    @classmethod
    def opened(cls, config: SessionConfig, at: datetime) -> "PaperVenue":
        """A fresh account with the session's capital, at market time `at`."""
        return cls(books.opened(config), at)

    @classmethod
    def restore(cls, config: SessionConfig, events: Iterable[Event]) -> "PaperVenue":
        """The venue as the recorded run left it."""
        return cls(*rebuilt(config, events))

    def advance(self, candles: Sequence[Candle]) -> Sequence[Report]:
        """One slice of the market passes; answers what happened to the orders."""
        if not candles:
            return ()
        self.clock = candles[0].close_time
        self.book, reports = match(self.book, candles)
        return reports

    async def submit(self, order: ApprovedOrder) -> Sequence[Report]:
        """Take the order on, or reject it; an approval that has expired by the market's clock is rejected, too."""
        if self.clock > order.expires_at:
            reason = f"the approval expired at {iso(order.expires_at)}"
            self.book, reports = entry.refuse(self.book, order.ticket, self.clock, reason)
        else:
            self.book, reports = entry.submit(self.book, order.ticket, self.clock)
        return reports

    async def cancel(self, client_order_id: str, reason: str) -> Sequence[Report]:
        """Take the order back; one that is gone already is no error and reports nothing."""
        self.book, reports = entry.cancel(self.book, client_order_id, self.clock, reason)
        return reports

    async def account(self) -> VenueAccount:
        """Open orders and holdings."""
        return books.account(self.book)

    async def order(self, client_order_id: str) -> OrderState | None:
        """The order's state, working or done; None when it never came here."""
        return books.order(self.book, client_order_id)
