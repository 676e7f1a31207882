"""What a strategy is: a module of pure functions over floats.

Every strategy module has a class `Params(StrategyParams)`, `warmup(params)` (how many bars pass before the first that
may signal) and `initial(params)` (the state before the first bar). A strategy of one symbol adds
`step(params, state, bar) -> (state, Stance | None)`, called for every bar of that symbol; a strategy of the whole
portfolio adds `weigh(params, state, closes, weights) -> (state, {symbol: Stance} | None)`, called once a slice with the
last closes and with the shares of the strategy's equity that its positions are worth. None is no change of mind.

A strategy of one symbol may add `run(params, state, bars, start, stop) -> (state, number)`, which a backtest calls in
place of many steps: the state before the first bar from `start` on at which the strategy speaks, and that bar's number;
where it says nothing before `stop`, the state before that one, and `stop`. It must decide as `step` does.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Bar(NamedTuple):
    """A closed candle as strategies see it. Indicators need no exactness, so these are floats."""

    open_time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class Bars(NamedTuple):
    """One symbol's bars in columns, oldest first."""

    open_times: Sequence[datetime]
    opens: Sequence[float]
    highs: Sequence[float]
    lows: Sequence[float]
    closes: Sequence[float]
    volumes: Sequence[float]

    def bar(self, number: int) -> Bar:
        """The `number`-th bar; the first is 0."""
        return Bar(
            self.open_times[number],
            self.opens[number],
            self.highs[number],
            self.lows[number],
            self.closes[number],
            self.volumes[number],
        )


class Stance(NamedTuple):
    """What to hold: `weight` 1 is fully long, 0 is flat; exact, for money follows from it. `reason` is for people."""

    weight: Decimal
    reason: str


class StrategyParams(BaseModel):
    """Base of a strategy's parameters; unknown names and values out of bounds are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        wanted = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and wanted in (int, float, Decimal):
            raise ValueError("true or false is no number")
        return value


class StrategyError(ValueError):
    """A session names a strategy that does not exist, or gives it parameters that it does not take."""


def long(reason: str) -> Stance:
    """Hold the symbol with the whole allocation."""
    return Stance(Decimal(1), reason)


def flat(reason: str) -> Stance:
    """Hold none of it."""
    return Stance(Decimal(0), reason)
