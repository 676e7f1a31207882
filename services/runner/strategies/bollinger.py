"""Bollinger bands: long below the lower band, flat again at the middle.

The middle is the mean of the last `length` closes, the band lies `deviations` population standard deviations below it.
A close below the band enters; the first close at or above the middle leaves.
"""

from math import sqrt

from pydantic import Field

from services.runner.strategies.indicators import Window, fixed, pushed
from services.runner.strategies.port import Bar, Stance, StrategyParams, flat, long


class Params(StrategyParams):
    """The length of the window in bars, and the width of the band."""

    length: int = Field(default=20, ge=2)
    deviations: float = Field(default=2.0, gt=0, le=10)


State = tuple[Window, bool]
"""The window, and whether the strategy wants to be long."""


def warmup(params: Params) -> int:
    """The bars before the first that may signal."""
    return params.length - 1


def initial(params: Params) -> State:
    """Before the first bar."""
    return Window(), False


def step(params: Params, state: State, bar: Bar) -> tuple[State, Stance | None]:
    """Fold one bar in: the new window, and a stance on the bars that enter or leave."""
    window, is_long = state
    close = fixed(bar.close)
    window = pushed(window, close, params.length)
    if len(window.closes) < params.length:
        return (window, False), None
    below = window.total - close * params.length
    if is_long:
        return ((window, False), flat("close is back at the middle band")) if below <= 0 else ((window, True), None)
    if below > 0 and below > params.deviations * _spread(window):
        return (window, True), long(f"close fell {params.deviations:g} deviations below the middle band")
    return (window, False), None


def _spread(window: Window) -> float:
    """The standard deviation times the length, in the window's unit: exact until the root."""
    return sqrt(len(window.closes) * window.squares - window.total * window.total)
