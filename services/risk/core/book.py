"""The approved orders that still stand, and the last ones that no longer do."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from shared.domain.portfolio import ZERO
from shared.domain.replacing import often_replaced
from shared.schemas.orders import Fill, Ticket
from shared.schemas.values import Side

REMEMBERED = 128
"""How many orders are remembered after their end, to know a late fill or a repeated intent again."""


@often_replaced
class Order(NamedTuple):
    """A judged ticket. `price` values it, `leaves` is open still, `trades` are the fills seen so far."""

    ticket: Ticket
    price: Decimal
    leaves: Decimal
    trades: frozenset[str] = frozenset()


Remembered = dict[str, Order] | MappingProxyType[str, Order]
"""Orders by name, in the order in which they ended; a mapping that is copied fast, and never changed."""


@often_replaced
class Book(NamedTuple):
    """`working` orders by name, and the most recent ones that were refused or have ended."""

    working: Mapping[str, Order] = MappingProxyType({})
    ended: Remembered = MappingProxyType({})

    def known(self, client_order_id: str) -> Order | None:
        """The order of that name, working or ended of late."""
        return self.working.get(client_order_id) or self.ended.get(client_order_id)

    def buying(self, symbol: str | None = None) -> Decimal:
        """What approved buys that have not filled may still cost, of one symbol or of all."""
        if not self.working:
            return ZERO
        return sum((o.leaves * o.price for o in self._open(Side.BUY) if symbol in (None, o.ticket.symbol)), ZERO)

    def selling(self, strategy: str, symbol: str) -> Decimal:
        """Units of a strategy's position that open sells claim."""
        if not self.working:
            return ZERO
        mine = (o.leaves for o in self._open(Side.SELL) if (o.ticket.strategy, o.ticket.symbol) == (strategy, symbol))
        return sum(mine, ZERO)

    def _open(self, side: Side) -> list[Order]:
        return [order for order in self.working.values() if order.ticket.side is side]


def approved(book: Book, ticket: Ticket, price: Decimal) -> Book:
    """The book with a newly approved order."""
    if book.known(ticket.client_order_id):
        return book
    return book._replace(working={**book.working, ticket.client_order_id: Order(ticket, price, ticket.qty)})


def released(book: Book, ticket: Ticket, price: Decimal) -> Book:
    """The book with an order that went without an approval, even where it was refused too late."""
    if ticket.client_order_id in book.working:
        return book
    return book._replace(working={**book.working, ticket.client_order_id: Order(ticket, price, ticket.qty)})


def refused(book: Book, ticket: Ticket) -> Book:
    """The book that remembers a refused order; an order that was judged before keeps its first verdict."""
    if book.known(ticket.client_order_id):
        return book
    return remembered(book, Order(ticket, ticket.reference_price, ZERO))


def ended(book: Book, client_order_id: str) -> Book:
    """The book after an order has left the venue, or was never sent."""
    order = book.working.get(client_order_id)
    if order is None:
        return book
    working = {name: each for name, each in book.working.items() if name != client_order_id}
    return remembered(book._replace(working=working), order._replace(leaves=ZERO))


def seen(book: Book, fill: Fill) -> bool:
    """Whether this very execution was counted before."""
    order = book.known(fill.client_order_id)
    return order is not None and fill.trade_id in order.trades


def filled(book: Book, fill: Fill) -> Book:
    """The book after one execution; a fill of an order that ended already is remembered with it."""
    order = book.known(fill.client_order_id)
    if order is None:
        return book
    order = order._replace(leaves=fill.leaves_qty, trades=order.trades | {fill.trade_id})
    if fill.client_order_id not in book.working:
        return remembered(book, order._replace(leaves=ZERO))
    book = book._replace(working={**book.working, fill.client_order_id: order})
    return ended(book, fill.client_order_id) if fill.status == "filled" else book


def remembered(book: Book, order: Order) -> Book:
    """The book that remembers an order after its end, and forgets the oldest of too many."""
    kept = book.ended.copy()  # takes a third of what spelling all of them out again does
    kept[order.ticket.client_order_id] = order
    while len(kept) > REMEMBERED:
        del kept[next(iter(kept))]
    return book._replace(ended=kept)
