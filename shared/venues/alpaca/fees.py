"""What a trade of a pair costs, which Alpaca does not tell with the trade.

The fee is taken from the asset that the trade credits, at the rate of the account's tier ("Crypto Spot Trading Fees",
`crypto_tier` of the account). Neither a trade update nor an activity says whether an order added liquidity; a limit
order that was executed only after it had stood for a while did. Of a stop-limit order it can't be told, for nothing
says when it was set off: it counts as one that took. Stocks are free; regulatory fees of sales are booked apart from
the fills, at the day's end, and are not counted here.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from shared.venues.alpaca.symbols import is_pair, received

Liquidity = Literal["maker", "taker"]
_STOOD = timedelta(seconds=1)
_BILLIONTH = Decimal("0.000000001")


class Rates(NamedTuple):
    """The shares of a trade that a tier pays."""

    maker: Decimal
    taker: Decimal


class Fee(NamedTuple):
    """What one trade costs, in units of `asset`."""

    amount: Decimal
    asset: str


_BASIS_POINTS = ((15, 25), (12, 22), (10, 20), (8, 18), (5, 15), (2, 13), (2, 12), (0, 10))
_TIERS = tuple(Rates(Decimal(maker) / 10_000, Decimal(taker) / 10_000) for maker, taker in _BASIS_POINTS)


def rates_of(tier: int | None) -> Rates:
    """The rates of a tier, 1 being the dearest; one that is not known counts as that."""
    return _TIERS[tier - 1] if tier is not None and 1 <= tier <= len(_TIERS) else _TIERS[0]


def liquidity(order_type: str, submitted: datetime, executed: datetime) -> Liquidity:
    """Whether the trade added liquidity or took it, as far as can be told."""
    return "maker" if order_type == "limit" and executed - submitted > _STOOD else "taker"


def fee_of(symbol: str, qty: Decimal, price: Decimal, rate: Decimal, *, bought: bool) -> Fee:
    """The fee of a trade of `qty` at `price`."""
    asset = received(symbol, bought=bought)
    if not is_pair(symbol):
        return Fee(Decimal(0), "USD")
    return Fee(((qty if bought else qty * price) * rate).quantize(_BILLIONTH), asset)
