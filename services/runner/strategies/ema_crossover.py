"""Trend following: long while a fast exponential moving average is above a slow one.

Both averages use α = 2/(n+1) and start at the first close. A cross up is a bar where fast > slow while on the bar
before it was not; a cross down is a bar where fast < slow while on the bar before it was not. The first bar that may
signal is the `slow`-th, and it signals only if it is a cross itself: a trend that began earlier is not joined late.
"""

from functools import cached_property
from typing import Self

from pydantic import Field, model_validator

from services.runner.strategies.port import Bar, Bars, Stance, StrategyParams, flat, long


class Params(StrategyParams):
    """The lengths of both averages in bars."""

    fast: int = Field(default=12, ge=1)
    slow: int = Field(default=26, ge=2)

    @model_validator(mode="after")
    def _fast_is_faster(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self

    @cached_property
    def alphas(self) -> tuple[float, float]:
        """The weight of the newest close in the fast and in the slow average."""
        return 2 / (self.fast + 1), 2 / (self.slow + 1)


State = tuple[int, float, float]
"""Bars seen, fast average, slow average."""


def warmup(params: Params) -> int:
    """The bars before the first that may signal."""
    return params.slow - 1


def initial(params: Params) -> State:
    """Before the first bar."""
    return 0, 0.0, 0.0


def step(params: Params, state: State, bar: Bar) -> tuple[State, Stance | None]:
    """Fold one bar in: the new averages, and a stance on the bars where they cross."""
    seen, was_fast, was_slow = state
    close = bar.close
    if not seen:
        return (1, close, close), None
    fast_alpha, slow_alpha = params.alphas
    fast = was_fast + fast_alpha * (close - was_fast)
    slow = was_slow + slow_alpha * (close - was_slow)
    stance = None
    if fast > slow:
        if was_fast <= was_slow and seen + 1 >= params.slow:
            stance = long(f"EMA {params.fast} crossed above EMA {params.slow}")
    elif fast < slow and was_fast >= was_slow and seen + 1 >= params.slow:
        stance = flat(f"EMA {params.fast} crossed below EMA {params.slow}")
    return (seen + 1, fast, slow), stance


def run(params: Params, state: State, bars: Bars, start: int, stop: int) -> tuple[State, int]:
    """Fold bars in up to the first at which the averages cross."""
    seen, fast, slow = state
    if not seen and start < stop:
        (seen, fast, slow), start = (1, bars.closes[start], bars.closes[start]), start + 1
    fast_alpha, slow_alpha = params.alphas
    for number, close in enumerate(bars.closes[start:stop], start):
        was_fast, was_slow = fast, slow
        fast += fast_alpha * (close - fast)
        slow += slow_alpha * (close - slow)
        crosses = (was_fast <= was_slow) if fast > slow else (was_fast >= was_slow and fast < slow)
        if crosses and seen + number - start + 1 >= params.slow:
            return (seen + number - start, was_fast, was_slow), number
    return (seen + max(stop - start, 0), fast, slow), stop
