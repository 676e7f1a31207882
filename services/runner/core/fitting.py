"""Prices and quantities as a venue takes them, before the guard sees an order: what is approved is what is sent.

The rules go by Binance's names for its filters ("Filters" in its spot documentation); other venues have them too.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from shared.schemas.session import Instrument
from shared.schemas.values import Side

ONE = Decimal(1)
ZERO = Decimal(0)


def to_step(number: Decimal, step: Decimal, rounding: str = ROUND_FLOOR) -> Decimal:
    """`number` on the grid of `step`, downwards by default; a step of zero leaves it as it is."""
    if step == ZERO:
        return number
    return (number / step).to_integral_value(rounding=rounding) * step


def passive_limit(side: Side, price: Decimal, offset: Decimal, tick: Decimal) -> Decimal:
    """A limit `offset` (a share) on the passive side of `price`, rounded away from it."""
    if side is Side.BUY:
        return to_step(price * (ONE - offset), tick)
    return to_step(price * (ONE + offset), tick, ROUND_CEILING)


def fitted(rules: Instrument, qty: Decimal, price: Decimal, *, market: bool) -> Decimal:
    """As much of `qty` as one order may be, on the grid of quantities."""
    if rules.max_qty and qty > rules.max_qty:
        qty = rules.max_qty
    if market and rules.market_max_qty and qty > rules.market_max_qty:
        qty = rules.market_max_qty
    if rules.max_notional and qty * price > rules.max_notional:
        qty = rules.max_notional / price
    return to_step(qty, rules.lot_step)


def too_small(rules: Instrument, qty: Decimal, price: Decimal) -> str | None:
    """Why the venue would not take an order of this size, or None."""
    if qty <= ZERO:
        return "LOT_SIZE: the quantity rounds down to zero"
    if qty < rules.min_qty:
        return f"LOT_SIZE: {qty:f} is below the smallest quantity of {rules.min_qty:f}"
    if qty * price < rules.min_notional:
        return f"NOTIONAL: {qty * price:f} is below the smallest order value of {rules.min_notional:f}"
    return None


def mispriced(rules: Instrument, price: Decimal, last: Decimal) -> str | None:
    """Why the venue would not take an order at this limit while the market is at `last`, or None.

    Binance measures the band from the average of some minutes, which `last` stands for.
    """
    if price < rules.min_price:
        return f"PRICE_FILTER: {price:f} is below the lowest price of {rules.min_price:f}"
    if rules.max_price and price > rules.max_price:
        return f"PRICE_FILTER: {price:f} is above the highest price of {rules.max_price:f}"
    lowest, highest = last * rules.band_down, last * rules.band_up
    if price < lowest or (highest and price > highest):
        return f"PERCENT_PRICE_BY_SIDE: {price:f} is not within {lowest:f} and {highest:f}"
    return None
