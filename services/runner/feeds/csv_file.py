"""Recorded candles as a feed: validated whole before the first slice is handed out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import merge
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from services.runner.feeds import csv_rules
from services.runner.feeds.csv_clean import CleanRows, EvenCandles, read_clean
from services.runner.feeds.csv_names import chosen, named
from services.runner.feeds.csv_rows import Rows, read_rows
from services.runner.feeds.port import FeedDescription, FeedError, Slice
from services.runner.feeds.series import Series
from services.runner.feeds.tape import Tape, tape_of
from shared.schemas.lifecycle import Repair
from shared.schemas.market import Candle


@dataclass(frozen=True, slots=True)
class CsvCandles:
    """Candles of one or more symbols. A symbol that has none at some time is absent from that slice."""

    description: FeedDescription
    series: Sequence[Series]
    step: timedelta

    def slices(self) -> Iterator[Slice]:
        """Every slice from the first, in market time."""
        streams = [_candles(series, self.step) for series in self.series]
        if len(streams) == 1:
            return ((candle,) for candle in streams[0])
        time = attrgetter("open_time")
        return (tuple(together) for _, together in groupby(merge(*streams, key=time), key=time))

    def tape(self) -> Tape | None:
        """All slices in columns; None where a symbol is absent from one of them."""
        even = _even(self.series)
        if not even:
            return tape_of(list(self.slices()))
        columns = {one.symbol: rows.bars for one, rows in zip(self.series, even, strict=True)}
        exact = {one.symbol: EvenCandles(one.symbol, rows) for one, rows in zip(self.series, even, strict=True)}
        return Tape(even[0].bars.open_times, self.step, columns, exact)


def load_csv(files: Sequence[Path], symbols: Sequence[str] | None = None, *, only: bool = True) -> CsvCandles:
    """Read and validate candle files; FeedError with file, line and reason when they can't be traded on.

    `symbols` are the session's, in its order: each must be found, and others are left out and told. Without `only` they
    are a hint: files may hold other symbols, and then all that the files hold is taken. None takes what is there.
    """
    found, repairs = _read(files, symbols or ())
    taken, choosing = chosen(found, symbols or (), only=only)
    step = _common_timeframe(taken)
    for series in taken:
        csv_rules.require_grid(series, step)
        repairs += [*csv_rules.gaps(series, step), *csv_rules.flat_bars(series)]
    count, absences = _union(taken)
    description = FeedDescription(
        source=", ".join(map(str, files)),
        symbols=tuple(series.symbol for series in taken),
        timeframe=csv_rules.spelled(step),
        slices=count,
        repairs=(*repairs, *choosing, *absences),
    )
    return CsvCandles(description, taken, step)


def _read(files: Sequence[Path], symbols: Sequence[str]) -> tuple[list[Series], list[Repair]]:
    found: list[Series] = []
    repairs: list[Repair] = []
    for path in files:
        rows, mended = _rows(path)
        series, naming = named(path, rows, symbols, alone=len(files) == 1)
        repairs += [*mended, *naming]
        for one in series:
            ordered, ordering = csv_rules.in_order(one)
            found.append(ordered)
            repairs += ordering
    return found, repairs


def _rows(path: Path) -> tuple[Rows, list[Repair]]:
    clean = read_clean(path)
    return read_rows(path) if clean is None else ({None: clean}, [])


def _common_timeframe(found: Sequence[Series]) -> timedelta:
    first, step = found[0], csv_rules.timeframe(found[0])
    for series in found[1:]:
        other = csv_rules.timeframe(series)
        if other != step:
            raise FeedError(
                f"{series.at(series.rows[0])}: {series.symbol} has bars of {csv_rules.spelled(other)}, "
                f"but {first.symbol} in {first.source} has {csv_rules.spelled(step)}"
            )
    return step


def _union(found: Sequence[Series]) -> tuple[int, Sequence[Repair]]:
    if len(found) == 1 or _even(found):
        return len(found[0].rows), ()
    slices = len({row.time for series in found for row in series.rows})
    absences = [
        Repair(rule="absent where other symbols have candles", source=one.source, count=missing, before=one.symbol)
        for one in found
        if (missing := slices - len(one.rows))
    ]
    return slices, absences


def _even(found: Sequence[Series]) -> Sequence[CleanRows]:
    """The rows of all series where they are clean and tell of the same times; else none."""
    rows = [one.rows for one in found if isinstance(one.rows, CleanRows)]
    same_times = len({(len(one), one.bars.open_times[0], one.step) for one in rows}) == 1
    return rows if len(rows) == len(found) and same_times else ()


def _candles(series: Series, step: timedelta) -> Iterator[Candle]:
    symbol = series.symbol
    for time, _, open_, high, low, close, volume in series.rows:
        yield Candle(symbol, time, time + step, open_, high, low, close, volume)
