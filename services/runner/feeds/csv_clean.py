"""The quick way through a candle file in which nothing is odd; whatever is, `csv_rows` reads it with care instead.

Nothing odd means: the plain header, times one step apart, plain digits, prices that a float tells apart. Such a file is
checked in columns; its numbers stay text until somebody asks for one exactly.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, repeat
from operator import le
from pathlib import Path
from typing import overload

from services.runner.feeds.series import Row
from services.runner.strategies.port import Bars
from shared.schemas.market import Candle

HEADER = b"timestamp,open,high,low,close,volume\n"
DIGITS = 15
"""Decimals of so many digits are in the same order as the floats next to them."""
_CHUNK = 1 << 18
_FIELDS = 6
_FIRST_LINE = 2
_PLAIN = b"0123456789.,\n"
_MARKS = frozenset({b"--T::Z", b"--T::+:", b"-- ::+:"})
_SECOND = timedelta(seconds=1)


Values = tuple[Decimal, Decimal, Decimal, Decimal, Decimal]


class _Odd(Exception):
    """Something that wants to be read with care."""


@dataclass(frozen=True, slots=True)
class EvenTimes(Sequence[datetime]):
    """`length` instants, one `step` apart."""

    start: datetime
    step: timedelta
    length: int

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, number: int) -> datetime: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[datetime]: ...
    def __getitem__(self, number: int | slice) -> datetime | Sequence[datetime]:
        if isinstance(number, slice):
            return [self[each] for each in range(self.length)[number]]
        if not 0 <= number < self.length:
            number = range(self.length)[number]
        return self.start + number * self.step


@dataclass(frozen=True, slots=True)
class CleanRows(Sequence[Row]):
    """The rows of a clean file: `bars` in columns, and the text that each row is made of when it is asked for."""

    bars: Bars
    step: timedelta
    content: bytes
    starts: Sequence[int]

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, number: int) -> Row: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Row]: ...
    def __getitem__(self, number: int | slice) -> Row | Sequence[Row]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        number = range(len(self))[number]
        return Row(self.bars.open_times[number], number + _FIRST_LINE, *self.values(number))

    def values(self, number: int) -> Values:
        """Open, high, low, close and volume of the `number`-th row."""
        _, opened, high, low, close, volume = self._line(number).split(",")
        return Decimal(opened), Decimal(high), Decimal(low), Decimal(close), Decimal(volume)

    def close(self, number: int) -> Decimal:
        """The close of the `number`-th row."""
        return Decimal(self._line(number).rsplit(",", 2)[1])

    def flat_lines(self) -> list[int]:
        """The lines of bars whose high is their low."""
        bars = zip(self.bars.highs, self.bars.lows, strict=True)
        return [line for line, (high, low) in enumerate(bars, _FIRST_LINE) if high == low]

    def _line(self, number: int) -> str:
        start = self.starts[number]
        return self.content[start : self.content.find(b"\n", start)].decode()


@dataclass(frozen=True, slots=True)
class EvenCandles:
    """The candles of one symbol that clean rows tell of."""

    symbol: str
    rows: CleanRows

    def candle(self, number: int) -> Candle:
        """The `number`-th candle."""
        rows = self.rows
        time, prices = rows.bars.open_times[number], rows.values(number)
        return Candle(self.symbol, time, time + rows.step, *prices)

    def close(self, number: int) -> Decimal:
        """Its close."""
        return self.rows.close(number)


def read_clean(path: Path) -> CleanRows | None:
    """A file's rows, or None where something is odd about it, if only that it can't be read."""
    try:
        content = path.read_bytes()
        return _checked(content if content.endswith(b"\n") else content + b"\n")
    except (OSError, ValueError, _Odd):
        return None


def _checked(content: bytes) -> CleanRows:
    marks = _marks_of_time(content)
    columns, starts, times = [array("d") for _ in range(_FIELDS - 1)], array("Q"), _EvenTimes()
    for start, chunk in _chunks(content):
        lines = _lines(chunk, marks)
        fields = ",".join(lines).split(",")
        times.take(fields[::_FIELDS])
        _take(columns, fields)
        starts.extend(accumulate(map(len, lines[:-1]), _next_line, initial=start))
    if times.step % _SECOND:
        raise _Odd
    open_times = EvenTimes(times.start, times.step, len(starts))
    return CleanRows(Bars(open_times, *columns), times.step, content, starts)


def _marks_of_time(content: bytes) -> bytes:
    """What stands in the first row beside digits, points and commas; that must be the marks of a time in UTC."""
    start = len(HEADER)
    marks = content[start : content.find(b"\n", start)].translate(None, _PLAIN)
    if not content.startswith(HEADER) or marks not in _MARKS:
        raise _Odd
    return marks


def _chunks(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole lines at a time, and where they start."""
    start, end = len(HEADER), len(content)
    while start < end:
        stop = content.rfind(b"\n", start, start + _CHUNK) + 1
        if stop == 0:
            raise _Odd
        yield start, content[start:stop]
        start = stop


def _lines(chunk: bytes, marks: bytes) -> list[str]:
    lines = chunk.decode().split("\n")
    lines.pop()
    if chunk.translate(None, _PLAIN) != marks * len(lines):
        raise _Odd
    if set(map(str.count, lines, repeat(","))) != {_FIELDS - 1}:
        raise _Odd
    return lines


def _next_line(start: int, length: int) -> int:
    return start + length + 1


class _EvenTimes:
    """Sees to it that times go on as the first two begin."""

    start: datetime
    step = timedelta(0)
    _next: datetime

    def take(self, texts: Sequence[str]) -> None:
        times = list(map(datetime.fromisoformat, texts))
        if not self.step:
            self.start = self._next = times[0].astimezone(UTC)
            self.step = times[1] - times[0] if len(times) > 1 else timedelta(0)
        expected = accumulate(repeat(self.step, len(times) - 1), initial=self._next)
        if self.step <= timedelta(0) or list(expected) != times:
            raise _Odd
        self._next += len(times) * self.step


def _take(columns: Sequence["array[float]"], fields: Sequence[str]) -> None:
    texts = [fields[place::_FIELDS] for place in range(1, _FIELDS)]
    if any(max(map(len, prices)) > DIGITS for prices in texts[:-1]):
        raise _Odd
    numbers = [list(map(float, each)) for each in texts]
    opens, highs, lows, closes, _ = numbers
    in_range = all(map(le, lows, opens)) and all(map(le, opens, highs))
    if not (in_range and all(map(le, lows, closes)) and all(map(le, closes, highs)) and min(lows) > 0):
        raise _Odd
    for column, values in zip(columns, numbers, strict=True):
        column.extend(values)
