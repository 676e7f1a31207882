"""The matching engine as one account sees it.

The scripted market is deep: an order never moves the price, and it takes at the last price when it sells, one tick
above it when it buys. A resting order is filled at its own price by the first trade that reaches it.
`Symbol.liquidity` limits what is there until the next price.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from tests.venues.binance import events
from tests.venues.binance.amounts import ZERO, floor
from tests.venues.binance.books import Books
from tests.venues.binance.crossing import Quotes, met, takes, triggered
from tests.venues.binance.fees import Fees
from tests.venues.binance.funds import Funds
from tests.venues.binance.orders import MARKETS, STOPS, Order, OrderList, Trade, Wanted
from tests.venues.binance.refusal import Refusal, not_cancelled, rejected
from tests.venues.binance.symbols import Symbol
from tests.venues.binance.telling import Telling
from tests.venues.faults import Fault, Faults
from tests.venues.market import Market, Price

PIECES = 3


@dataclass
class Counters:
    """Where the venue's ids come from; accounts share them."""

    order: Iterator[int] = field(default_factory=lambda: count(1001))
    trade: Iterator[int] = field(default_factory=lambda: count(501))
    list: Iterator[int] = field(default_factory=lambda: count(1))
    made: Iterator[int] = field(default_factory=lambda: count(1))


class Exchange:
    """`books` is what the account has; `before` is what it had before the last change, for stale reads."""

    def __init__(
        self,
        symbols: dict[str, Symbol],
        market: Market,
        faults: Faults,
        clock: Callable[[], int],
        counters: Counters | None = None,
        fees: Fees | None = None,
    ) -> None:
        self.symbols = symbols
        self.market = market
        self.faults = faults
        self.clock = clock
        self.counters = counters or Counters()
        self.fees = fees or Fees()
        self.books = Books()
        self.before = Books()
        self.funds = Funds(self.books, symbols, self.fees)
        self.telling = Telling(self.books, symbols, clock)
        self._taken: dict[str, Decimal] = {}

    def quotes(self, symbol: str) -> Quotes:
        """The best prices. Refuses where the symbol has had no price yet."""
        last = self.market.last.get(symbol)
        if last is None:
            raise Refusal(-1013, "Market is closed.")
        return Quotes(last, last + self.symbols[symbol].tick)

    def average(self, symbol: str) -> Decimal:
        """The average price of the last five bars."""
        closes = [bar.close for bar in self.market.bars(symbol)[-5:]] or [self.market.last.get(symbol, ZERO)]
        return sum(closes, ZERO) / len(closes)

    def check(self, wanted: Wanted) -> None:
        """Refuse what cannot be accepted."""
        rules = self.symbols[wanted.symbol]
        quotes = self.quotes(wanted.symbol)
        open_orders = self.books.open_orders(wanted.symbol)
        rules.check(wanted, self.average(wanted.symbol), open_orders, self.books.ledger.total.get(rules.base, ZERO))
        if any(order.wanted.client_id == wanted.client_id for order in self.books.open_orders()):
            raise rejected("Duplicate order sent.")
        if wanted.type in STOPS and triggered(wanted, quotes.bid):
            raise rejected("Order would trigger immediately.")
        if wanted.type == "LIMIT_MAKER" and takes(wanted, quotes):
            raise rejected("Order would immediately match and take.")

    def place(self, wanted: Wanted) -> Order:
        """Accept an order and match it, or refuse it."""
        self.check(wanted)
        self.funds.check(wanted, self.quotes(wanted.symbol))
        self._remember()
        order = self._accept(wanted)
        self._arrive(order)
        self.telling.balances(order)
        return order

    def place_oco(self, above: Wanted, below: Wanted, client_id: str) -> OrderList:
        """Accept two orders of which one cancels the other."""
        for wanted in (above, below):
            self.check(wanted)
        dearer = max(above, below, key=lambda wanted: wanted.price or wanted.stop)
        self.funds.check(dearer, self.quotes(above.symbol))
        self._remember()
        listed = OrderList(next(self.counters.list), client_id, above.symbol, (), self.clock())
        self.books.lists[listed.id] = listed
        legs = [self._accept(wanted, listed.id) for wanted in (above, below)]
        listed.orders = tuple(leg.id for leg in legs)
        self.funds.lock(legs[0])
        self.telling.listed(listed, legs)
        self.telling.balances(legs[0])
        return listed

    def cancel(self, order: Order, cancel_id: str) -> None:
        """Cancel an open order, and with it the other leg of its list. Refuses when it is no longer open."""
        if not order.open:
            raise not_cancelled()
        self._remember()
        for leg in self.books.legs(order):
            if leg.open:
                self._end(leg, "CANCELED", cancel_id)
        self.telling.balances(order)

    def report_rejected(self, wanted: Wanted, refusal: Refusal) -> None:
        """Tell of a new order that the engine refused after the order that it was to replace had been cancelled."""
        if refusal.code == -2010:
            self.telling.rejected(next(self.counters.order), wanted, refusal)

    def deposit(self, asset: str, amount: Decimal) -> None:
        """Add to a balance from outside; a withdrawal is negative."""
        self._remember()
        self.books.ledger.add(asset, amount)
        now = self.clock()
        told = {"e": "balanceUpdate", "E": now, "a": asset, "d": f"{amount:.8f}", "T": now}
        self.telling.events += [told, events.account_position(self.books.ledger, [asset], now)]

    def on_price(self, price: Price) -> None:
        """Trigger and fill what a trade in the market reaches."""
        self._taken.pop(price.symbol, None)
        reached = [order for order in self.books.open_orders(price.symbol) if self._reached(order, price.price)]
        if reached:
            self._remember()
        for order in reached:
            if not order.open:
                continue
            if order.working:
                self._fill(order, order.wanted.price, maker=True)
            else:
                self._trigger(order)
            self.telling.balances(order)

    def _reached(self, order: Order, last: Decimal) -> bool:
        return met(order.wanted, last) if order.working else triggered(order.wanted, last)

    def _remember(self) -> None:
        self.before = self.books.copied()

    def _accept(self, wanted: Wanted, list_id: int = -1) -> Order:
        now = self.clock()
        order = Order(next(self.counters.order), wanted, now, list_id, updated=now, qty=wanted.qty)
        if wanted.quote_qty:
            rules = self.symbols[wanted.symbol]
            order.qty = floor(wanted.quote_qty / self.quotes(wanted.symbol).taking(wanted), rules.step)
        order.working = wanted.type not in STOPS
        order.working_time = now if order.working else -1
        if self.faults.draw(f"fill {wanted.symbol}", Fault.PARTIAL):
            order.pieces = PIECES
        self.books.orders[order.id] = order
        self.funds.lock(order)
        self.telling.report(order, "NEW")
        return order

    def _arrive(self, order: Order) -> None:
        if not order.working:
            return
        quotes = self.quotes(order.wanted.symbol)
        whole = order.leaves <= self._available(order.wanted.symbol)
        if takes(order.wanted, quotes) and (whole or order.wanted.tif != "FOK"):
            self._fill(order, quotes.taking(order.wanted), maker=False)
        if order.open and (order.wanted.type in MARKETS or order.wanted.tif != "GTC"):
            self._end(order, "EXPIRED")

    def _trigger(self, order: Order) -> None:
        order.working, order.working_time = True, self.clock()
        self._expire_others(order)
        self.telling.report(order, "NEW")
        self._arrive(order)

    def _fill(self, order: Order, price: Decimal, maker: bool) -> None:
        at_once = order.wanted.type in MARKETS or order.wanted.tif != "GTC"
        while order.open:
            qty = min(self._piece(order), self._available(order.wanted.symbol))
            if qty <= 0 or not self.funds.afford(order, price * qty):
                return
            self._trade(order, price, qty, maker)
            order.pieces = max(order.pieces - 1, 0)
            if order.pieces and not at_once:
                return

    def _piece(self, order: Order) -> Decimal:
        if order.pieces < 2:
            return order.leaves
        return floor(order.leaves / order.pieces, self.symbols[order.wanted.symbol].step) or order.leaves

    def _available(self, symbol: str) -> Decimal:
        liquidity = self.symbols[symbol].liquidity
        return Decimal("Infinity") if liquidity is None else liquidity - self._taken.get(symbol, ZERO)

    def _trade(self, order: Order, price: Decimal, qty: Decimal, maker: bool) -> None:
        wanted = order.wanted
        self._expire_others(order)
        asset, commission = self.funds.settle(wanted, price, qty, maker, self.market.last)
        trade = Trade(
            next(self.counters.trade),
            order.id,
            order.list_id,
            wanted.symbol,
            wanted.side,
            price,
            qty,
            commission,
            asset,
            maker,
            self.clock(),
        )
        order.trades.append(trade)
        self.books.trades.append(trade)
        self._taken[wanted.symbol] = self._taken.get(wanted.symbol, ZERO) + qty
        order.filled += qty
        order.quote_filled += trade.quote
        order.status = "PARTIALLY_FILLED" if order.leaves else "FILLED"
        self.funds.lock(order)
        self.telling.report(order, "TRADE", trade)
        self._settle_list(order)

    def _end(self, order: Order, status: str, cancel_id: str = "") -> None:
        order.status = status
        self.funds.lock(order)
        self.telling.report(order, status, cancel_id=cancel_id)
        self._settle_list(order)

    def _expire_others(self, order: Order) -> None:
        for leg in self.books.legs(order):
            if leg is not order and leg.open:
                self._end(leg, "EXPIRED")

    def _settle_list(self, order: Order) -> None:
        legs = self.books.legs(order)
        listed = self.books.lists.get(order.list_id)
        if listed is None or listed.status == "ALL_DONE" or any(leg.open for leg in legs):
            return
        listed.status = listed.order_status = "ALL_DONE"
        self.telling.listed(listed, legs)
