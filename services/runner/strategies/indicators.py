"""Exact moving sums: windows of prices as integers, so that nothing drifts and a tie is a tie."""

from math import ldexp
from typing import NamedTuple

_BITS = 100


def fixed(value: float) -> int:
    """A price as a whole number of 2⁻¹⁰⁰: exactly, down to prices of some 10⁻¹⁵."""
    return int(ldexp(value, _BITS))


class Window(NamedTuple):
    """The last closes of a moving window, oldest first, with the exact sum of them and of their squares."""

    closes: tuple[int, ...] = ()
    total: int = 0
    squares: int = 0


def pushed(window: Window, close: int, length: int) -> Window:
    """The window one close later, holding `length` closes at most."""
    closes = (*window.closes, close)
    if len(closes) <= length:
        return Window(closes, window.total + close, window.squares + close * close)
    gone = closes[0]
    return Window(closes[1:], window.total + close - gone, window.squares + close * close - gone * gone)
