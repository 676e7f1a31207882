"""The engine: it takes, cancels and replaces orders and fills them from the market."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from tests.venues.alpaca.assets import Asset
from tests.venues.alpaca.books import Books, Fill
from tests.venues.alpaca.calendar import Calendar
from tests.venues.alpaca.gates import (
    Standing,
    check_auctions,
    check_identity,
    check_means,
    check_standing,
    check_wash,
)
from tests.venues.alpaca.matching import Quote, after_stop, fill_price, reaches_stop
from tests.venues.alpaca.orders import Order, Terms
from tests.venues.alpaca.reading import check
from tests.venues.alpaca.refusal import not_found, unprocessable
from tests.venues.faults import Fault, Faults
from tests.venues.market import Market

GTC_ENDS = timedelta(days=90)
NINE = Decimal("0.000000001")


class Event(NamedTuple):
    """What a trade update tells: the order as it was right after, and what the account then held."""

    kind: str
    execution_id: str
    order: Order
    at: datetime
    position_qty: Decimal
    fill: Fill | None


class Exchange:
    """`books` is the state, `previous` what it was before the last change, `events` what is still to be told."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        market: Market,
        faults: Faults,
        clock: Callable[[], datetime],
        calendar: Calendar,
        cash: Decimal,
    ) -> None:
        self.assets, self.market, self.faults = assets, market, faults
        self.clock, self.calendar = clock, calendar
        self.books, self.previous = Books(cash), Books(cash)
        self.standing = Standing()
        self.events: list[Event] = []
        self.taker_fee, self.maker_fee = Decimal("0.0025"), Decimal("0.0015")
        self._identities = 0

    def identity(self) -> str:
        """A new id."""
        self._identities += 1
        return str(uuid5(NAMESPACE_URL, f"identity {self._identities}"))

    def place(self, terms: Terms) -> Order:
        """Take an order without filling it yet: `advance` does. Raises `Refusal`."""
        now, price = self.clock(), self._price(terms.asset)
        check_standing(self.standing)
        check_identity(self.books, terms.client_order_id)
        check_auctions(terms, now)
        check_wash(terms, self.books)
        check_means(terms, self.books, self.standing, price)
        self.previous = self.books.copy()
        order = self._enter(_first(terms), now)
        legs = tuple(self._enter(leg, now, order).id for leg in _legs(terms, self.identity))
        if legs:
            order = self._store(replace(order, legs=legs))
        return order

    def cancel(self, order_id: str) -> None:
        """Cancel an order and what depends on it. Raises `Refusal` where it is unknown or not open."""
        order = self.order(order_id)
        if not order.is_open:
            raise unprocessable(f'order is already in "{order.status}" state')
        self.previous = self.books.copy()
        self._end(order, "canceled", canceled_at=self.clock())

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
            check_means(terms, others, self.standing, self._price(terms.asset))
        self.previous = self.books.copy()
        new = replace(self._enter(terms, now), replaces=old.id, parent=old.parent, legs=old.legs)
        old = self._store(old.changed(now, status="replaced", replaced_at=now, replaced_by=new.id))
        self._tell("replaced", old)
        self._adopt(old, new)
        return self._store(new)

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
        if order.status == "held" or not self._trades(order.terms, now):
            return
        fresh = order.status in ("pending_new", "accepted")
        if fresh:
            order = self._store(order.changed(now, status="new"))
            self._tell("new", order)
        bar = self.market.current.get(asset.symbol)
        if asset.symbol in self.market.last and (fresh or asset.symbol == symbol):
            opening = bar is None or bar.trades == 1
            self._match(order, Quote(self.market.last[asset.symbol], fresh or opening), taker=fresh)
        order = self.books.orders[order.id]
        if order.is_open and order.terms.time_in_force in ("ioc", "fok", "opg"):
            self._end(order, "canceled", canceled_at=now)

    def _trades(self, terms: Terms, now: datetime) -> bool:
        if terms.asset.is_crypto:
            return True
        if terms.time_in_force == "cls":
            return False
        return self.calendar.is_open(now) or (terms.extended_hours and self.calendar.is_extended(now))

    def _close_of_day(self, order: Order, now: datetime) -> None:
        last = self.market.last.get(order.terms.asset.symbol)
        if order.terms.time_in_force == "cls" and last is not None:
            order = self._store(order.changed(now, status="new"))
            self._tell("new", order)
            self._match(order, Quote(last, jumped=True), taker=True)
            order = self.books.orders[order.id]
        if order.is_open:
            self._end(order, "expired", expired_at=now)

    def _match(self, order: Order, quote: Quote, *, taker: bool) -> None:
        if not order.triggered:
            if not reaches_stop(order.terms, quote):
                return
            quote = after_stop(order.terms, quote)
            order = self._store(order.changed(self.clock(), triggered=True))
        price = fill_price(order.terms, quote)
        if price is None:
            return
        qty = order.terms.qty if order.terms.qty is not None else _bought((order.terms.notional or Decimal(0)) / price)
        left = qty - order.filled_qty
        splits = order.terms.time_in_force != "fok" and self.faults.draw(
            f"fill {order.terms.asset.symbol}", Fault.PARTIAL
        )
        first = _half(left, order.terms.asset) if splits else left
        self._fill(order, first, price, left - first, taker=taker)
        if first < left and order.terms.type in ("market", "stop"):
            self._fill(self.books.orders[order.id], left - first, price, Decimal(0), taker=taker)

    def _fill(self, order: Order, qty: Decimal, price: Decimal, leaves: Decimal, *, taker: bool) -> None:
        now, asset = self.clock(), order.terms.asset
        self.previous = self.books.copy()
        rate = (self.taker_fee if taker else self.maker_fee) if asset.is_crypto else Decimal(0)
        fee = (qty if order.terms.side == "buy" else qty * price) * rate
        filled = order.filled_qty + qty
        fill = Fill(
            self.identity(), order.id, asset, order.terms.side, qty, price, fee.quantize(NINE), now, filled, leaves
        )
        self.books.settle(fill)
        order = self._store(
            order.changed(
                now,
                status="partially_filled" if leaves else "filled",
                filled_qty=filled,
                filled_value=order.filled_value + qty * price,
                filled_at=None if leaves else now,
            )
        )
        self._tell("partial_fill" if leaves else "fill", order, fill)
        if not leaves:
            self._after_fill(order)

    def _after_fill(self, order: Order) -> None:
        if order.terms.order_class != "oco":
            for leg in self._open_legs(order):
                self._tell("new", self._store(leg.changed(self.clock(), status="new")))
        self._end_rest(order)

    def _end(self, order: Order, status: str, **moment: datetime) -> None:
        self._tell(status, self._store(order.changed(self.clock(), status=status, **moment)))
        for leg in self._open_legs(order):
            self._end(leg, "canceled", canceled_at=self.clock())
        self._end_rest(order)

    def _end_rest(self, order: Order) -> None:
        """Cancel what an exit's end makes void: the other leg, or of an oco the other order."""
        together = [order] if order.terms.order_class == "oco" else []
        if order.parent:
            together.append(self.books.orders[order.parent])
        for parent in together:
            for other in [*self._open_legs(parent), parent]:
                if other.id != order.id and self.books.orders[other.id].is_open:
                    self._end(other, "canceled", canceled_at=self.clock())

    def _open_legs(self, order: Order) -> list[Order]:
        return [leg for one in order.legs if (leg := self.books.orders[one]).is_open]

    def _adopt(self, old: Order, new: Order) -> None:
        for leg in old.legs:
            self._store(replace(self.books.orders[leg], parent=new.id))
        if old.parent:
            parent = self.books.orders[old.parent]
            self._store(replace(parent, legs=tuple(new.id if leg == old.id else leg for leg in parent.legs)))

    def _enter(self, terms: Terms, now: datetime, parent: Order | None = None) -> Order:
        status = "pending_new" if self._trades(terms, now) else "accepted"
        if parent is not None and parent.terms.order_class != "oco":
            status = "held"
        order = Order(
            self.identity(),
            terms,
            status,
            now,
            now,
            self._ends(terms, now),
            parent=parent.id if parent else None,
            reference=self._price(terms.asset),
        )
        if status == "accepted":
            self._tell("accepted", order)
        return self._store(order)

    def _ends(self, terms: Terms, now: datetime) -> datetime | None:
        if terms.time_in_force == "gtc":
            return now + GTC_ENDS
        if terms.asset.is_crypto:
            return None
        return self.calendar.day_order_ends(now, extended=terms.extended_hours)

    def _price(self, asset: Asset) -> Decimal:
        return self.market.last.get(asset.symbol, Decimal(0))

    def _store(self, order: Order) -> Order:
        self.books.orders[order.id] = order
        return order

    def _tell(self, kind: str, order: Order, fill: Fill | None = None) -> None:
        held = self.books.qty(order.terms.asset)
        self.events.append(Event(kind, self.identity(), order, self.clock(), held, fill))


def _first(terms: Terms) -> Terms:
    return replace(terms, limit_price=terms.take_profit) if terms.order_class == "oco" else terms


def _legs(terms: Terms, fresh: Callable[[], str]) -> list[Terms]:
    """The orders that wait for the first, or stand beside it."""
    if terms.order_class == "simple":
        return []
    exit_side = "sell" if terms.side == "buy" else "buy"
    side = terms.side if terms.order_class == "oco" else exit_side
    plain = replace(terms, side=side, take_profit=None, stop_loss=None, stop_loss_limit=None, stop_price=None)
    legs = []
    if terms.take_profit is not None and terms.order_class != "oco":
        legs.append(replace(plain, client_order_id=fresh(), type="limit", limit_price=terms.take_profit))
    if terms.stop_loss is not None:
        kind = "stop" if terms.stop_loss_limit is None else "stop_limit"
        stop = replace(plain, client_order_id=fresh(), type=kind, stop_price=terms.stop_loss)
        legs.append(replace(stop, limit_price=terms.stop_loss_limit))
    return legs


def _bought(qty: Decimal) -> Decimal:
    return qty.quantize(NINE, rounding="ROUND_DOWN")


def _half(qty: Decimal, asset: Asset) -> Decimal:
    """About half, in whole shares where the order is in whole shares; one share stays whole."""
    if asset.is_crypto or qty % 1 != 0:
        return _bought(qty / 2)
    return Decimal(int(qty / 2)) or qty
