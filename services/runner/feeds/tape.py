"""Candles as columns: what a backtest looks at when it passes over whole stretches at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from services.runner.feeds.port import Slice
from services.runner.strategies.port import Bars
from shared.schemas.market import Candle


class Exact(Protocol):
    """One symbol's candles as they were told."""

    def candle(self, number: int) -> Candle:
        """The `number`-th candle."""

    def close(self, number: int) -> Decimal:
        """Its close."""


@dataclass(frozen=True, slots=True)
class Tape:
    """Slices that hold every symbol, `len(open_times)` of them, in the session's order of symbols."""

    open_times: Sequence[datetime]
    step: timedelta
    columns: Mapping[str, Bars]
    exact: Mapping[str, Exact]

    def __len__(self) -> int:
        return len(self.open_times)

    def close_time(self, number: int) -> datetime:
        """When the `number`-th slice closes."""
        return self.open_times[number] + self.step

    def closes(self, number: int) -> dict[str, Decimal]:
        """The closes of the `number`-th slice."""
        return {symbol: one.close(number) for symbol, one in self.exact.items()}

    def candle(self, number: int, symbol: str) -> Candle:
        """The symbol's candle in the `number`-th slice."""
        return self.exact[symbol].candle(number)

    def slice(self, number: int) -> Slice:
        """The `number`-th slice."""
        return tuple(one.candle(number) for one in self.exact.values())


@dataclass(frozen=True, slots=True)
class Listed:
    """Candles at hand."""

    candles: Sequence[Candle]

    def candle(self, number: int) -> Candle:
        """The `number`-th candle."""
        return self.candles[number]

    def close(self, number: int) -> Decimal:
        """Its close."""
        return self.candles[number].close


def tape_of(slices: Sequence[Slice]) -> Tape | None:
    """The slices as a tape; None where a symbol is absent from one of them, or there are none."""
    if not slices or any(len(candles) != len(slices[0]) for candles in slices):
        return None
    first = slices[0][0]
    times = [candles[0].open_time for candles in slices]
    listed = {series[0].symbol: series for series in zip(*slices, strict=True)}
    columns = {symbol: _columns(series, times) for symbol, series in listed.items()}
    return Tape(times, first.close_time - first.open_time, columns, {name: Listed(one) for name, one in listed.items()})


def _columns(candles: Sequence[Candle], times: Sequence[datetime]) -> Bars:
    opens, highs, lows, closes, volumes = (
        [float(getattr(candle, name)) for candle in candles] for name in ("open", "high", "low", "close", "volume")
    )
    return Bars(times, opens, highs, lows, closes, volumes)
