"""The account over a stretch of slices in which no order fills: in floats, to find the few marks that matter exactly.

Floats are off by some 1e-15 of the equity, for cash and positions are never below zero; `MARGIN` is far more than that.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.runner.feeds.tape import Tape
from shared.domain.portfolio import Portfolio

MARGIN = 1e-9
NEVER = float("inf")
_LESS, _MORE = 1.0 - MARGIN, 1.0 + MARGIN


class Range(NamedTuple):
    """Bounds of the equity over a stretch."""

    low: float
    high: float


class Held(NamedTuple):
    """What the account holds while no order fills: cash, and of each symbol its closes on the tape and the quantity."""

    cash: float
    positions: tuple[tuple[Sequence[float], float], ...]

    def range(self, start: int, stop: int) -> Range:
        """Bounds of the equity from slice `start` to before `stop`."""
        low = high = self.cash
        for closes, qty in self.positions:
            stretch = closes[start:stop]
            low += qty * min(stretch)
            high += qty * max(stretch)
        return Range(low, high)

    def marks(self, start: int, stop: int) -> Iterator[float]:
        """The equity at each slice."""
        for number in range(start, stop):
            yield self.cash + sum(qty * closes[number] for closes, qty in self.positions)


def held(account: Portfolio, tape: Tape) -> Held:
    """What `account` holds."""
    positions = ((tape.columns[symbol].closes, float(held.qty)) for (_, symbol), held in account.positions.items())
    return Held(float(account.cash), tuple(positions))


class Peaks(NamedTuple):
    """What the next marks are measured against: the peak and the largest drawdown so far."""

    peak: float
    drawdown: float


def may_matter(known: Peaks, found: Range) -> bool:
    """Whether a stretch within `found` may hold a new peak or a larger drawdown."""
    peak = max(known.peak, found.high)
    return found.high >= known.peak * _LESS or peak - found.low >= (known.drawdown - MARGIN) * peak


def marks_that_matter(known: Peaks, marks: Iterator[float], first: int) -> list[int]:
    """The numbers of the marks, the first being `first`, that leave the same peak and largest drawdown as all do."""
    kept: list[int] = []
    peak, lowest, is_clear_peak = known.peak, NEVER, False
    for number, equity in enumerate(marks, first):
        if equity >= peak * _LESS:
            rises = equity > peak * _MORE
            if rises and is_clear_peak:
                kept.pop()
            kept.append(number)
            peak, lowest, is_clear_peak = max(peak, equity), NEVER, rises
        elif peak - equity >= (known.drawdown - MARGIN) * peak and equity <= lowest * _MORE:
            if equity < lowest * _LESS and lowest < NEVER:
                kept.pop()
            kept.append(number)
            lowest, is_clear_peak = min(lowest, equity), False
    return kept
