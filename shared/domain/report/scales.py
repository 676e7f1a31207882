"""Axes: round numbers to label, round instants to label, and fewer points where a line has more than pixels."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import ceil, floor, log10

Sample = tuple[float, float]
"""Seconds since 1970 (UTC) and a value."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_TIME_STEPS = (
    1, 5, 15, 30, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR,
    _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY,
)  # fmt: skip
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)


def round_steps(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers between `low` and `high`."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def time_steps(start: float, end: float, count: int = 8) -> list[tuple[float, str]]:
    """At most `count` or so round instants between `start` and `end`, each with its label."""
    span = max(end - start, 1.0)
    for step in _TIME_STEPS:
        if span / step <= count:
            return [(at, _clock_label(at, step)) for at in _multiples(start, end, step)]
    months = next((step for step in _MONTH_STEPS if span / (step * 30.4 * _DAY) <= count), _MONTH_STEPS[-1])
    return [(at.timestamp(), f"{at:%Y}" if months >= 12 else f"{at:%b %Y}") for at in _months(start, end, months)]


def _multiples(start: float, end: float, step: int) -> Iterator[float]:
    at = ceil(start / step) * step
    while at <= end:
        yield float(at)
        at += step


def _clock_label(at: float, step: int) -> str:
    instant = datetime.fromtimestamp(at, UTC)
    if step >= _DAY or (instant.hour, instant.minute, instant.second) == (0, 0, 0):
        return f"{instant.day} {instant:%b}"
    return f"{instant:%H:%M:%S}" if step < _MINUTE else f"{instant:%H:%M}"


def _months(start: float, end: float, step: int) -> Iterator[datetime]:
    first = datetime.fromtimestamp(start, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    number = first.year * 12 + first.month - 1
    number += -number % step
    at = first.replace(year=number // 12, month=number % 12 + 1)
    while at.timestamp() <= end:
        if at.timestamp() >= start:
            yield at
        number += step
        at = at.replace(year=number // 12, month=number % 12 + 1)


def thinned(samples: Sequence[Sample], columns: int) -> list[Sample]:
    """The samples with at most four in each of `columns` equal stretches: first, lowest, highest and last.

    A line through them covers the same pixels as one through all.
    """
    if len(samples) <= 2 * columns:
        return list(samples)
    start, span = samples[0][0], samples[-1][0] - samples[0][0]
    kept: list[Sample] = []
    stretch: list[Sample] = []
    column = 0
    for sample in samples:
        place = min(int((sample[0] - start) / span * columns), columns - 1) if span else 0
        if place != column:
            kept += _extremes(stretch)
            stretch, column = [], place
        stretch.append(sample)
    return kept + _extremes(stretch)


def _extremes(stretch: Sequence[Sample]) -> list[Sample]:
    if len(stretch) <= 4:
        return list(stretch)
    low = min(range(len(stretch)), key=lambda index: stretch[index][1])
    high = max(range(len(stretch)), key=lambda index: stretch[index][1])
    return [stretch[index] for index in sorted({0, low, high, len(stretch) - 1})]
