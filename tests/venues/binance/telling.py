"""Notes down, in order, what the user data stream has to tell."""

from collections.abc import Callable, Mapping

from tests.venues.binance import events
from tests.venues.binance.books import Books
from tests.venues.binance.orders import Order, OrderList, Trade, Wanted
from tests.venues.binance.refusal import Refusal
from tests.venues.binance.symbols import Symbol


class Telling:
    """`events` are those that nobody has been told of yet."""

    def __init__(self, books: Books, symbols: Mapping[str, Symbol], clock: Callable[[], int]) -> None:
        self.books = books
        self.symbols = symbols
        self.clock = clock
        self.events: list[events.Event] = []

    def report(self, order: Order, kind: str, trade: Trade | None = None, cancel_id: str = "") -> None:
        """Tell what happened to an order."""
        order.updated = self.clock()
        self.events.append(events.execution_report(order, kind, order.updated, trade, cancel_id))

    def rejected(self, order_id: int, wanted: Wanted, refusal: Refusal) -> None:
        """Tell of an order that never was."""
        now = self.clock()
        order = Order(order_id, wanted, now, status="REJECTED", qty=wanted.qty)
        self.events.append(events.execution_report(order, "REJECTED", now) | {"r": events.reason(refusal)})

    def balances(self, order: Order) -> None:
        """Tell the balances that an order touches."""
        rules = self.symbols[order.wanted.symbol]
        assets = sorted({rules.base, rules.quote, *(trade.commission_asset for trade in order.trades)})
        self.events.append(events.account_position(self.books.ledger, assets, self.clock()))

    def listed(self, order_list: OrderList, legs: list[Order]) -> None:
        """Tell the state of an order list."""
        self.events.append(events.list_status(order_list, legs, self.clock()))
