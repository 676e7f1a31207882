"""What a strategy is: a module of pure functions over floats."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class Bar(NamedTuple):
    """A closed candle as strategies see it. Indicators need no exactness, so these are floats."""

    open_time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class Stance(NamedTuple):
    """What to hold: `weight` 1 is fully long, 0 is flat; exact, for money follows from it. `reason` is for people."""

    weight: Decimal
    reason: str


class StrategyParams(BaseModel):
    """Base of a strategy's parameters; unknown names and values out of bounds are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def long(reason: str) -> Stance:
    """Hold the symbol with the whole allocation."""
    return Stance(Decimal(1), reason)


def flat(reason: str) -> Stance:
    """Hold none of it."""
    return Stance(Decimal(0), reason)
