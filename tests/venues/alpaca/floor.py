"""Where orders enter, fill and end: what each of that changes, and what is told of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from tests.venues.alpaca.assets import Asset
from tests.venues.alpaca.books import Books, Fill
from tests.venues.alpaca.calendar import Calendar
from tests.venues.alpaca.orders import Order, Terms
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


class Floor:
    """`books` is the state, `previous` what it was before the last change, `events` what is still to be told."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        market: Market,
        clock: Callable[[], datetime],
        calendar: Calendar,
        cash: Decimal,
    ) -> None:
        self.assets, self.market = assets, market
        self.clock, self.calendar = clock, calendar
        self.books, self.previous = Books(cash), Books(cash)
        self.events: list[Event] = []
        self.taker_fee, self.maker_fee = Decimal("0.0025"), Decimal("0.0015")
        self._identities = 0

    def identity(self) -> str:
        """A new id."""
        self._identities += 1
        return str(uuid5(NAMESPACE_URL, f"identity {self._identities}"))

    def enter(self, terms: Terms, now: datetime, parent: Order | None = None) -> Order:
        """Take an order in, which waits where its asset is not traded now or another order comes first."""
        status = "pending_new" if self.trades(terms, now) else "accepted"
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
            reference=self.price(terms.asset),
        )
        if status == "accepted":
            self.tell("accepted", order)
        return self.store(order)

    def fill(self, order: Order, qty: Decimal, price: Decimal, leaves: Decimal, *, taker: bool) -> None:
        """Trade a part of an order, of which `leaves` is left afterwards."""
        now, asset = self.clock(), order.terms.asset
        self.previous = self.books.copy()
        rate = (self.taker_fee if taker else self.maker_fee) if asset.is_crypto else Decimal(0)
        fee = (qty if order.terms.side == "buy" else qty * price) * rate
        filled = order.filled_qty + qty
        fill = Fill(
            self.identity(), order.id, asset, order.terms.side, qty, price, fee.quantize(NINE), now, filled, leaves
        )
        self.books.settle(fill)
        order = self.store(
            order.changed(
                now,
                status="partially_filled" if leaves else "filled",
                filled_qty=filled,
                filled_value=order.filled_value + qty * price,
                filled_at=None if leaves else now,
            )
        )
        self.tell("partial_fill" if leaves else "fill", order, fill)
        if not leaves:
            self._after_fill(order)

    def end(self, order: Order, status: str, **moment: datetime) -> None:
        """End an order without a trade, and what depends on it."""
        self.tell(status, self.store(order.changed(self.clock(), status=status, **moment)))
        for leg in self._open_legs(order):
            self.end(leg, "canceled", canceled_at=self.clock())
        self._end_rest(order)

    def adopt(self, old: Order, new: Order) -> None:
        """Put a new order in an order's place among its legs and its parent's."""
        for leg in old.legs:
            self.store(replace(self.books.orders[leg], parent=new.id))
        if old.parent:
            parent = self.books.orders[old.parent]
            self.store(replace(parent, legs=tuple(new.id if leg == old.id else leg for leg in parent.legs)))

    def store(self, order: Order) -> Order:
        """Keep an order as it is now."""
        self.books.orders[order.id] = order
        return order

    def tell(self, kind: str, order: Order, fill: Fill | None = None) -> None:
        """Have something told of an order."""
        held = self.books.qty(order.terms.asset)
        self.events.append(Event(kind, self.identity(), order, self.clock(), held, fill))

    def price(self, asset: Asset) -> Decimal:
        """The last price of an asset, zero where there is none yet."""
        return self.market.last.get(asset.symbol, Decimal(0))

    def trades(self, terms: Terms, now: datetime) -> bool:
        """Whether an order with these terms may trade at that moment."""
        if terms.asset.is_crypto:
            return True
        if terms.time_in_force == "cls":
            return False
        return self.calendar.is_open(now) or (terms.extended_hours and self.calendar.is_extended(now))

    def _after_fill(self, order: Order) -> None:
        if order.terms.order_class != "oco":
            for leg in self._open_legs(order):
                self.tell("new", self.store(leg.changed(self.clock(), status="new")))
        self._end_rest(order)

    def _end_rest(self, order: Order) -> None:
        """Cancel what an exit's end makes void: the other leg, or of an oco the other order."""
        together = [order] if order.terms.order_class == "oco" else []
        if order.parent:
            together.append(self.books.orders[order.parent])
        for parent in together:
            for other in [*self._open_legs(parent), parent]:
                if other.id != order.id and self.books.orders[other.id].is_open:
                    self.end(other, "canceled", canceled_at=self.clock())

    def _open_legs(self, order: Order) -> list[Order]:
        return [leg for one in order.legs if (leg := self.books.orders[one]).is_open]

    def _ends(self, terms: Terms, now: datetime) -> datetime | None:
        if terms.time_in_force == "gtc":
            return now + GTC_ENDS
        if terms.asset.is_crypto:
            return None
        return self.calendar.day_order_ends(now, extended=terms.extended_hours)
