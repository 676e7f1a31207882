"""Orders come to the exchange and are taken back."""

from datetime import datetime

from shared.schemas.orders import Ticket
from shared.schemas.values import OrderType
from shared.venues.paper.book import Book, Stage, Status, Working, state_of, with_working, without
from shared.venues.paper.rules import objection
from shared.venues.port import Accepted, Cancelled, Rejected, Report

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


def submit(book: Book, ticket: Ticket, at: datetime) -> tuple[Book, tuple[Report, ...]]:
    """Take the order on at market time `at`, live from then plus the latency; or reject it, saying why.

    `at` is the close of the bar that was decided on, so that only later bars can fill the order. Costs are estimated
    at the ticket's reference price, which is the last close that the decision knew.
    """
    reason = objection(book, ticket)
    if reason is not None:
        return refuse(book, ticket, at, reason)
    working = arrived(book, ticket, at)
    book = with_working(book._replace(orders=working.number), working)
    return book, (Accepted(state_of(working)),)


def refuse(book: Book, ticket: Ticket, at: datetime, reason: str) -> tuple[Book, tuple[Report, ...]]:
    """Reject the order for `reason`. A name that the exchange knows keeps the state it had."""
    working = arrived(book, ticket, at)
    name, state = ticket.client_order_id, state_of(working, "rejected")
    known = name in book.working or name in book.done
    done = book.done if known else book.done.with_entry(name, state)
    return book._replace(orders=working.number, done=done), (Rejected(state, reason),)


def cancel(book: Book, client_order_id: str, at: datetime, reason: str) -> tuple[Book, tuple[Report, ...]]:
    """Take the order off the book at once, latency or not; one that is not working is no error and reports nothing."""
    working = book.working.get(client_order_id)
    return remove(book, working, reason) if working else (book, ())


def remove(book: Book, working: Working, reason: str, status: Status = "cancelled") -> tuple[Book, tuple[Report, ...]]:
    """Take a working order off the book and say why."""
    return without(book, working, status), (Cancelled(state_of(working, status), reason),)


def arrived(book: Book, ticket: Ticket, at: datetime) -> Working:
    """The order as it comes to the book at market time `at`, the next in number."""
    stage = Stage.WAITING if ticket.type in _STOPS else Stage.ARRIVING
    return Working(ticket, book.orders + 1, at + book.rules.paper.latency, stage)
