"""Mean reversion on Wilder's relative strength index: buy what is oversold, leave when it is overbought.

The first averages of gains and losses are plain means over `length` changes, later ones Wilder's: (n-1)/n of the old
plus 1/n of the new (J. W. Wilder, New Concepts in Technical Trading Systems, 1978). RSI is 100 where nothing fell and
50 where nothing moved.
"""

from typing import Self

from pydantic import Field, model_validator

from services.runner.strategies.port import Bar, Stance, StrategyParams, flat, long


class Params(StrategyParams):
    """The length in bars, and the bounds between 0 and 100."""

    length: int = Field(default=14, ge=2)
    oversold: float = Field(default=30.0, gt=0, lt=100)
    overbought: float = Field(default=70.0, gt=0, lt=100)

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if self.oversold >= self.overbought:
            raise ValueError(f"oversold ({self.oversold:g}) must be below overbought ({self.overbought:g})")
        return self


State = tuple[int, float, float, float, bool]
"""Changes seen, the last close, average gain, average loss, and whether the strategy wants to be long."""


def warmup(params: Params) -> int:
    """The bars before the first that may signal."""
    return params.length


def initial(params: Params) -> State:
    """Before the first bar."""
    return -1, 0.0, 0.0, 0.0, False


def step(params: Params, state: State, bar: Bar) -> tuple[State, Stance | None]:
    """Fold one bar in: the new averages, and a stance on the bars that enter or leave."""
    changes, before, gain, loss, is_long = state
    close = bar.close
    if changes < 0:
        return (0, close, 0.0, 0.0, False), None
    changes += 1
    change = close - before
    weight = 1 / min(changes, params.length)
    gain += ((change if change > 0 else 0.0) - gain) * weight
    loss += ((-change if change < 0 else 0.0) - loss) * weight
    if changes < params.length:
        return (changes, close, gain, loss, False), None
    rsi = strength_index(gain, loss)
    if not is_long and rsi < params.oversold:
        return (changes, close, gain, loss, True), long(f"RSI {rsi:.1f} is below {params.oversold:g}")
    if is_long and rsi > params.overbought:
        return (changes, close, gain, loss, False), flat(f"RSI {rsi:.1f} is above {params.overbought:g}")
    return (changes, close, gain, loss, is_long), None


def strength_index(gain: float, loss: float) -> float:
    """RSI from the averages of gains and losses: 100 - 100/(1 + gain/loss), without the division by zero."""
    moved = gain + loss
    return 100.0 * gain / moved if moved else 50.0
