"""What orders lock and what fills move."""

from collections.abc import Mapping
from decimal import Decimal

from tests.venues.binance.amounts import ZERO
from tests.venues.binance.books import Books
from tests.venues.binance.crossing import Quotes
from tests.venues.binance.fees import Fees
from tests.venues.binance.orders import Order, Wanted
from tests.venues.binance.refusal import INSUFFICIENT, rejected
from tests.venues.binance.symbols import Symbol


class Funds:
    """The balances of the books, which it changes."""

    def __init__(self, books: Books, symbols: Mapping[str, Symbol], fees: Fees) -> None:
        self.books = books
        self.symbols = symbols
        self.fees = fees

    def check(self, wanted: Wanted, quotes: Quotes) -> None:
        """Refuse an order that can't be paid for."""
        rules, ledger = self.symbols[wanted.symbol], self.books.ledger
        if not wanted.buys:
            enough = ledger.free(rules.base) >= (wanted.qty or wanted.quote_qty / quotes.bid)
        else:
            price = wanted.price or wanted.stop or quotes.ask
            enough = ledger.free(rules.quote) >= (wanted.quote_qty or wanted.qty * price)
        if not enough:
            raise rejected(INSUFFICIENT)

    def lock(self, order: Order) -> None:
        """Lock exactly what the order and those linked with it may still need."""
        rules = self.symbols[order.wanted.symbol]
        needs = [_need(leg) for leg in self.books.legs(order) if leg.open]
        asset = rules.quote if order.wanted.buys else rules.base
        self.books.ledger.hold(order.hold_key, asset, max(needs, default=ZERO))

    def afford(self, order: Order, cost: Decimal) -> bool:
        """Whether a fill of that cost can be paid from what is locked for the order and what is free."""
        ledger, quote = self.books.ledger, self.symbols[order.wanted.symbol].quote
        held = ledger.holds.get(order.hold_key, (quote, ZERO))[1]
        return not order.wanted.buys or cost <= ledger.free(quote) + held

    def settle(
        self, wanted: Wanted, price: Decimal, qty: Decimal, maker: bool, last: Mapping[str, Decimal]
    ) -> tuple[str, Decimal]:
        """Exchange the assets and take the commission, whose asset and amount it returns."""
        rules, ledger = self.symbols[wanted.symbol], self.books.ledger
        sign = 1 if wanted.buys else -1
        ledger.add(rules.base, sign * qty)
        ledger.add(rules.quote, -sign * qty * price)
        asset, commission = self.fees.of(rules, wanted, qty, price, maker, ledger.free("BNB"), last)
        ledger.add(asset, -commission)
        return asset, commission


def _need(order: Order) -> Decimal:
    if order.wanted.type == "MARKET":
        return ZERO
    if not order.wanted.buys:
        return order.leaves
    return order.leaves * (order.wanted.price or order.wanted.stop)
