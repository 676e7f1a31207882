"""A market order on an empty book, from its arrival to its fill within the next slice."""

from datetime import datetime
from typing import NamedTuple

from shared.schemas.market import Candle
from shared.schemas.orders import Fill, Ticket
from shared.schemas.values import OrderType
from shared.venues.paper.book import Book, Working, state_of
from shared.venues.paper.entry import arrived
from shared.venues.paper.matching import cash_after, execution, held_after
from shared.venues.paper.reach import walk
from shared.venues.paper.rules import objection


class Executed(NamedTuple):
    """The book after the fill, the order as it stood when it was accepted, and its fill."""

    book: Book
    accepted: Working
    fill: Fill


def execute(book: Book, ticket: Ticket, at: datetime, candle: Candle) -> Executed | None:
    """What `submit` at market time `at` and then `match` with its symbol's next `candle` come to.

    None unless the order is accepted and fills whole.
    """
    if book.working or ticket.type is not OrderType.MARKET or objection(book, ticket) is not None:
        return None
    if book.rules.paper.participation is not None:
        return None
    working = arrived(book, ticket, at)
    passed, touch = walk(working, candle, book.rules.time_zone)
    if touch is None:
        return None
    fill = execution(book, passed, touch, candle, passed.leaves)
    cash = cash_after(book, fill)
    if cash < 0:
        return None
    done = book.done.with_entry(ticket.client_order_id, state_of(passed._replace(filled=fill.qty), "filled"))
    after = book._replace(
        cash=cash,
        holdings=held_after(book, fill),
        done=done,
        orders=working.number,
        trades=book.trades + 1,
    )
    return Executed(after, working, fill)
