"""The engine: it takes, cancels and replaces orders and fills them from the market.

What a stop-limit order pays for what it left in the book is in no document: here it takes liquidity to its end.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.venues.alpaca.assets import Asset
from tests.venues.alpaca.calendar import Calendar
from tests.venues.alpaca.floor import NINE, Floor
from tests.venues.alpaca.gates import (
    Standing,
    check_auctions,
    check_identity,
    check_means,
    check_standing,
    check_wash,
)
from tests.venues.alpaca.legs import first_of, legs_of
from tests.venues.alpaca.matching import Quote, after_stop, fill_price, reaches_stop
from tests.venues.alpaca.orders import Order, Terms
from tests.venues.alpaca.reading import check
from tests.venues.alpaca.refusal import not_found, unprocessable
from tests.venues.faults import Fault, Faults
from tests.venues.market import Market


class Exchange(Floor):
    """What the venue does by itself and on request; `standing` is what the account may do."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        market: Market,
        faults: Faults,
        clock: Callable[[], datetime],
        calendar: Calendar,
        cash: Decimal,
    ) -> None:
        super().__init__(assets, market, clock, calendar, cash)
        self.faults = faults
        self.standing = Standing()

    def place(self, terms: Terms) -> Order:
        """Take an order without filling it yet: `advance` does. Raises `Refusal`."""
        now, price = self.clock(), self.price(terms.asset)
        check_standing(self.standing)
        check_identity(self.books, terms.client_order_id)
        check_auctions(terms, now)
        check_wash(terms, self.books)
        check_means(terms, self.books, self.standing, price)
        self.previous = self.books.copy()
        order = self.enter(first_of(terms), now)
        legs = tuple(self.enter(leg, now, order).id for leg in legs_of(terms, self.identity))
        if legs:
            order = self.store(replace(order, legs=legs))
        return order

    def cancel(self, order_id: str) -> None:
        """Cancel an order and what depends on it. Raises `Refusal` where it is unknown or not open."""
        order = self.order(order_id)
        if not order.is_open:
            raise unprocessable(f'order is already in "{order.status}" state')
        self.previous = self.books.copy()
        self.end(order, "canceled", canceled_at=self.clock())

    def replace(self, order_id: str, changes: Mapping[str, Any], client_order_id: str | None) -> Order:
        """Put a new order in an order's place. `qty` is the whole quantity, with what is filled. Raises `Refusal`."""
        old, now = self.order(order_id), self.clock()
        if old.status in ("accepted", "pending_new", "held"):
            raise unprocessable("unable to replace order, order isn't sent to exchange yet")
        if not old.is_open:
            raise unprocessable(f'order is already in "{old.status}" state')
        name = client_order_id or self.identity()
        check_identity(self.books, name)
        check_standing(self.standing)
        qty = changes.get("qty", old.terms.qty)
        if qty is not None and qty <= old.filled_qty:
            raise unprocessable("qty must be greater than the filled quantity")
        left = None if qty is None else qty - old.filled_qty
        terms = replace(old.terms, **{**changes, "qty": left, "client_order_id": name})
        check(replace(terms, order_class="simple", take_profit=None, stop_loss=None, stop_loss_limit=None))
        others = self.books.copy()
        del others.orders[old.id]
        if not old.parent:
            check_means(terms, others, self.standing, self.price(terms.asset))
        self.previous = self.books.copy()
        new = replace(self.enter(terms, now), replaces=old.id, parent=old.parent, legs=old.legs)
        old = self.store(old.changed(now, status="replaced", replaced_at=now, replaced_by=new.id))
        self.tell("replaced", old)
        self.adopt(old, new)
        return self.store(new)

    def order(self, order_id: str) -> Order:
        """The order with that id; raises `Refusal` where there is none."""
        if order_id not in self.books.orders:
            raise not_found(f"order not found for {order_id}")
        return self.books.orders[order_id]

    def advance(self, symbol: str | None = None) -> None:
        """Let time and the market act on every open order; `symbol` is the one whose price has just come."""
        for waiting in self.books.open_orders():
            order = self.books.orders[waiting.id]
            if order.is_open:
                self._advance(order, symbol)

    def _advance(self, order: Order, symbol: str | None) -> None:
        now, asset = self.clock(), order.terms.asset
        if order.expires_at is not None and now >= order.expires_at:
            self._close_of_day(order, now)
            return
        if order.status == "held" or not self.trades(order.terms, now):
            return
        fresh = order.status in ("pending_new", "accepted")
        if fresh:
            order = self.store(order.changed(now, status="new"))
            self.tell("new", order)
        bar = self.market.current.get(asset.symbol)
        if asset.symbol in self.market.last and (fresh or asset.symbol == symbol):
            opening = bar is None or bar.trades == 1
            self._match(order, Quote(self.market.last[asset.symbol], fresh or opening), taker=fresh)
        order = self.books.orders[order.id]
        if order.is_open and order.terms.time_in_force in ("ioc", "fok", "opg"):
            self.end(order, "canceled", canceled_at=now)

    def _close_of_day(self, order: Order, now: datetime) -> None:
        last = self.market.last.get(order.terms.asset.symbol)
        if order.terms.time_in_force == "cls" and last is not None:
            order = self.store(order.changed(now, status="new"))
            self.tell("new", order)
            self._match(order, Quote(last, jumped=True), taker=True)
            order = self.books.orders[order.id]
        if order.is_open:
            self.end(order, "expired", expired_at=now)

    def _match(self, order: Order, quote: Quote, *, taker: bool) -> None:
        if not order.triggered:
            if not reaches_stop(order.terms, quote):
                return
            quote = after_stop(order.terms, quote)
            order = self.store(order.changed(self.clock(), triggered=True))
        price = fill_price(order.terms, quote)
        if price is None:
            return
        qty = order.terms.qty if order.terms.qty is not None else _bought((order.terms.notional or Decimal(0)) / price)
        left = qty - order.filled_qty
        splits = order.terms.time_in_force != "fok" and self.faults.draw(
            f"fill {order.terms.asset.symbol}", Fault.PARTIAL
        )
        first = _half(left, order.terms.asset) if splits else left
        taker = taker or order.terms.stop_price is not None
        self.fill(order, first, price, left - first, taker=taker)
        if first < left and order.terms.type in ("market", "stop"):
            self.fill(self.books.orders[order.id], left - first, price, Decimal(0), taker=taker)


def _bought(qty: Decimal) -> Decimal:
    return qty.quantize(NINE, rounding="ROUND_DOWN")


def _half(qty: Decimal, asset: Asset) -> Decimal:
    """About half, in whole shares where the order is in whole shares; one share stays whole."""
    if asset.is_crypto or qty % 1 != 0:
        return _bought(qty / 2)
    return Decimal(int(qty / 2)) or qty
