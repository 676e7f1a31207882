"""At which price an order trades, if it does."""

from decimal import Decimal
from typing import NamedTuple

from tests.venues.alpaca.orders import Terms


class Quote(NamedTuple):
    """The market's price. `jumped` says that it did not walk there: an opening, or the order's first look at it."""

    price: Decimal
    jumped: bool


def reaches_stop(terms: Terms, quote: Quote) -> bool:
    """Whether the price sets off a stop; without one it always does."""
    stop = terms.stop_price
    if stop is None:
        return True
    return quote.price >= stop if terms.side == "buy" else quote.price <= stop


def after_stop(terms: Terms, quote: Quote) -> Quote:
    """What the order sees once its stop is set off: the price that walked over the stop was there in between."""
    if terms.stop_price is None or quote.jumped:
        return quote
    return Quote(terms.stop_price, jumped=True)


def fill_price(terms: Terms, quote: Quote) -> Decimal | None:
    """The price of the trade, None where the limit keeps the order from it."""
    limit = terms.limit_price
    if limit is None:
        return quote.price
    if not (quote.price <= limit if terms.side == "buy" else quote.price >= limit):
        return None
    return quote.price if quote.jumped else limit
