"""Prices and costs of an execution. Decimal arithmetic at the default context: 28 digits, half to even."""

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from hashlib import blake2b

from shared.schemas.session import Paper
from shared.schemas.values import Side, iso
from shared.venues.paper.book import Working

_HALF = 2**63


def noise(seed: int, working: Working, bar_close: datetime) -> Decimal:
    """A number from -1 to 1 that follows from the seed, the order's particulars and the bar, and from nothing else.

    Names of orders carry the session's id and are left out: sessions that decide alike are filled alike.
    """
    ticket = working.ticket
    text = f"{seed}|{working.number}|{ticket.symbol}|{ticket.side}|{ticket.qty.normalize():f}|{iso(bar_close)}"
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    return Decimal(number - _HALF) / _HALF


def slippage(paper: Paper, working: Working, bar_close: datetime) -> Decimal:
    """The share of the price by which a market or a triggered stop order fills worse; never below zero."""
    if not paper.slippage_jitter:
        return paper.slippage
    return max(Decimal(0), paper.slippage + paper.slippage_jitter * noise(paper.seed, working, bar_close))


def slipped(price: Decimal, side: Side, share: Decimal) -> Decimal:
    """The price made worse by `share`."""
    return price * (1 + share if side is Side.BUY else 1 - share)


def on_tick(price: Decimal, side: Side, tick: Decimal) -> Decimal:
    """The price rounded to the tick against the order; one that would round to nothing is left as it is."""
    if not tick:
        return price
    rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
    return (price / tick).to_integral_value(rounding) * tick or price


def whole_lots(qty: Decimal, step: Decimal) -> Decimal:
    """The quantity rounded down to the lot step."""
    return (qty / step).to_integral_value(ROUND_FLOOR) * step if step else qty
