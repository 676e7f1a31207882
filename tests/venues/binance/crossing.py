"""When an order meets the market, by prices alone."""

from decimal import Decimal
from typing import NamedTuple

from tests.venues.binance.orders import MARKETS, Wanted


class Quotes(NamedTuple):
    """The best prices: what a seller gets and what a buyer pays at once."""

    bid: Decimal
    ask: Decimal

    def taking(self, wanted: Wanted) -> Decimal:
        """The price at which the order takes."""
        return self.ask if wanted.buys else self.bid


def triggered(wanted: Wanted, last: Decimal) -> bool:
    """Whether the last price is at the order's stop price or beyond it."""
    waits_above = wanted.buys == wanted.type.startswith("STOP_LOSS")
    return last >= wanted.stop if waits_above else last <= wanted.stop


def takes(wanted: Wanted, quotes: Quotes) -> bool:
    """Whether a live order is matched at once by what is on the book."""
    if wanted.type in MARKETS:
        return True
    return wanted.price >= quotes.ask if wanted.buys else wanted.price <= quotes.bid


def met(wanted: Wanted, last: Decimal) -> bool:
    """Whether a trade at that price meets the resting order."""
    return last <= wanted.price if wanted.buys else last >= wanted.price
