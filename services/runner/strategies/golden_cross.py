"""The golden cross: long while a short simple moving average is above a long one.

The averages exist from the `slow`-th bar on, so a cross, which needs two bars in a row, can be seen from the bar after.
A cross up (golden) is fast > slow now and not before; a cross down (death) is fast < slow now and not before.
"""

from typing import Self

from pydantic import Field, model_validator

from services.runner.strategies.indicators import fixed
from services.runner.strategies.port import Bar, Stance, StrategyParams, flat, long


class Params(StrategyParams):
    """The lengths of both averages in bars."""

    fast: int = Field(default=50, ge=1)
    slow: int = Field(default=200, ge=2)

    @model_validator(mode="after")
    def _fast_is_faster(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self


State = tuple[tuple[int, ...], int, int, int]
"""The last `slow` closes, the sums of the newest `fast` and of all, and fast minus slow as it was: its sign matters.

All of them are exact integers (see `indicators.fixed`).
"""


def warmup(params: Params) -> int:
    """The bars before the first that may signal."""
    return params.slow


def initial(params: Params) -> State:
    """Before the first bar."""
    return (), 0, 0, 0


def step(params: Params, state: State, bar: Bar) -> tuple[State, Stance | None]:
    """Fold one bar in: the new sums, and a stance on the bars where the averages cross."""
    closes, fast_sum, slow_sum, before = state
    close = fixed(bar.close)
    seen = len(closes)
    fast_sum += close - (closes[-params.fast] if seen >= params.fast else 0)
    slow_sum += close - (closes[0] if seen == params.slow else 0)
    if seen < params.slow - 1:
        return ((*closes, close), fast_sum, slow_sum, 0), None
    lead = fast_sum * params.slow - slow_sum * params.fast
    if seen < params.slow:
        return ((*closes, close), fast_sum, slow_sum, lead), None
    return ((*closes[1:], close), fast_sum, slow_sum, lead), _crossed(params, before, lead)


def _crossed(params: Params, before: int, lead: int) -> Stance | None:
    if lead > 0 >= before:
        return long(f"SMA {params.fast} crossed above SMA {params.slow}")
    if lead < 0 <= before:
        return flat(f"SMA {params.fast} crossed below SMA {params.slow}")
    return None
