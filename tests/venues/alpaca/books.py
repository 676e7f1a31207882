"""Everything that the venue keeps for an account: orders, fills, positions and cash."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from tests.venues.alpaca.assets import Asset
from tests.venues.alpaca.calendar import EASTERN
from tests.venues.alpaca.orders import Order, plain, written


class Position(NamedTuple):
    """What is held of an asset, and what it cost in dollars."""

    asset: Asset
    qty: Decimal
    cost: Decimal


class Fill(NamedTuple):
    """A trade of an order. `qty` is before the fee; `fee` is in the asset for a purchase, in dollars for a sale."""

    id: str
    order_id: str
    asset: Asset
    side: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    at: datetime
    cumulative: Decimal
    leaves: Decimal

    def told(self) -> dict[str, Any]:
        """The entry among the account's activities. Its id begins with Eastern time and is not the execution's."""
        local = self.at.astimezone(EASTERN)
        return {
            "id": f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03}::{uuid5(NAMESPACE_URL, self.id)}",
            "activity_type": "FILL",
            "transaction_time": written(self.at),
            "type": "partial_fill" if self.leaves else "fill",
            "price": plain(self.price),
            "qty": plain(self.qty),
            "side": self.side,
            "symbol": self.asset.symbol,
            "leaves_qty": plain(self.leaves),
            "order_id": self.order_id,
            "cum_qty": plain(self.cumulative),
            "order_status": "partially_filled" if self.leaves else "filled",
        }


@dataclass
class Books:
    """`orders` are by the venue's id, `positions` by their symbol without a slash; `fills` are oldest first."""

    cash: Decimal
    orders: dict[str, Order] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)

    def copy(self) -> "Books":
        """The same state, which later changes leave alone."""
        return Books(self.cash, dict(self.orders), dict(self.positions), list(self.fills))

    def open_orders(self) -> list[Order]:
        """Every order that may still fill, oldest first."""
        return [order for order in self.orders.values() if order.is_open]

    def by_client_id(self, client_order_id: str) -> Order | None:
        """The order with that name, open or not."""
        return next((o for o in self.orders.values() if o.terms.client_order_id == client_order_id), None)

    def qty(self, asset: Asset) -> Decimal:
        """What is held of an asset."""
        position = self.positions.get(asset.position_symbol)
        return position.qty if position else Decimal(0)

    def sellers(self, asset: Asset) -> Iterator[Order]:
        """The open orders that hold a part of the position; of an exit's two legs only the first counts."""
        for order in self.open_orders():
            waits = order.status == "held" or (order.parent is not None and self._sibling_holds(order))
            if order.terms.side == "sell" and order.terms.asset == asset and not waits:
                yield order

    def held_qty(self, asset: Asset) -> Decimal:
        """What open orders hold of the position."""
        return sum((order.leaves for order in self.sellers(asset)), Decimal(0))

    def held_cash(self) -> Decimal:
        """What open purchases hold of the cash, at their limits; those without one at the price they were taken at."""
        return sum((self._cost(order) for order in self.open_orders() if order.terms.side == "buy"), Decimal(0))

    def settle(self, fill: Fill) -> None:
        """Add a fill: to the history, the position and the cash."""
        self.fills.append(fill)
        symbol, value = fill.asset.position_symbol, fill.qty * fill.price
        held = self.positions.pop(symbol, Position(fill.asset, Decimal(0), Decimal(0)))
        if fill.side == "buy":
            self.cash -= value
            self.positions[symbol] = Position(fill.asset, held.qty + fill.qty - fill.fee, held.cost + value)
            return
        self.cash += value - fill.fee
        left = held.qty - fill.qty
        if left > 0:
            self.positions[symbol] = Position(fill.asset, left, held.cost * left / held.qty)

    def _sibling_holds(self, order: Order) -> bool:
        parent = self.orders[order.parent or ""]
        if parent.terms.order_class == "oco":
            return True
        first = next((leg for leg in parent.legs if self.orders[leg].is_open), order.id)
        return first != order.id

    @staticmethod
    def _cost(order: Order) -> Decimal:
        terms = order.terms
        if order.status == "held":
            return Decimal(0)
        if terms.notional is not None:
            return terms.notional
        return order.leaves * (terms.limit_price or terms.stop_price or order.reference)
