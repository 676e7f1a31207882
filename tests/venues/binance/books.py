"""All that the venue knows of one account's dealings; tests may read it directly."""

from dataclasses import dataclass, field, replace

from tests.venues.binance.ledger import Ledger
from tests.venues.binance.orders import Order, OrderList, Trade


@dataclass
class Books:
    """Balances, orders and order lists by id, and trades in the order in which they happened."""

    ledger: Ledger = field(default_factory=Ledger)
    orders: dict[int, Order] = field(default_factory=dict)
    lists: dict[int, OrderList] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)

    def copied(self) -> "Books":
        """The same as it is now. What can't change any more is shared."""
        orders = {id_: _copied(order) if order.open else order for id_, order in self.orders.items()}
        lists = {id_: replace(listed) for id_, listed in self.lists.items()}
        return Books(Ledger({**self.ledger.total}, {**self.ledger.holds}), orders, lists, [*self.trades])

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """The open orders, of one symbol or of all."""
        return [order for order in self.orders.values() if order.open and symbol in (None, order.wanted.symbol)]

    def legs(self, order: Order) -> list[Order]:
        """All orders of its list; the order alone where it has none."""
        if order.list_id < 0:
            return [order]
        return [leg for leg in self.orders.values() if leg.list_id == order.list_id]

    def find(self, symbol: str, order_id: int | None, client_id: str | None) -> Order | None:
        """The order with that id; by the client's id the newest, for such an id may be used again."""
        for order in reversed(self.orders.values()):
            if order.wanted.symbol != symbol:
                continue
            if order.id == order_id or (order_id is None and order.wanted.client_id == client_id):
                return order
        return None


def _copied(order: Order) -> Order:
    return replace(order, trades=[*order.trades])
