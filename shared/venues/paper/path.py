"""The way a price is taken to travel within one candle.

A candle tells four prices and not their order. By the usual convention of OHLC back-testers the path is taken to run
open -> low -> high -> close when the candle closes at or above its open, else open -> high -> low -> close: the move
against the candle's direction comes first. Each of the three straight segments takes one third of the bar's time.
A position on the path is a Decimal from 0 (the open) to 3 (the close); at whole positions the candle tells the price.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from shared.schemas.market import Candle

SEGMENTS = 3
BEYOND = Decimal(SEGMENTS + 1)
"""A position that no path reaches: no end before the close."""
_MICROSECOND = timedelta(microseconds=1)

Path = tuple[Decimal, Decimal, Decimal, Decimal]


class Point(NamedTuple):
    """A moment of the bar and the price there."""

    position: Decimal
    price: Decimal


def path_of(candle: Candle) -> Path:
    """The four corners of the candle's path, in order."""
    if candle.close >= candle.open:
        return candle.open, candle.low, candle.high, candle.close
    return candle.open, candle.high, candle.low, candle.close


def position_at(candle: Candle, instant: datetime) -> Decimal:
    """Where the path is at `instant`: 0 up to the open, 3 at the close, more than 3 afterwards."""
    if instant <= candle.open_time:
        return Decimal(0)
    elapsed = (instant - candle.open_time) // _MICROSECOND
    return Decimal(SEGMENTS * elapsed) / Decimal((candle.close_time - candle.open_time) // _MICROSECOND)


def point_at(path: Path, position: Decimal) -> Point:
    """The point at `position`, which is below 3."""
    corner = int(position)
    start, end = path[corner], path[corner + 1]
    return Point(position, start + (end - start) * (position - corner))


def first_reaching(path: Path, here: Point, level: Decimal, direction: int, until: Decimal = BEYOND) -> Point | None:
    """The first point from `here` on and before `until` that is at `level` or beyond it in `direction` (1 up, -1 down).

    Where the path is beyond the level already, that is `here`; else it crosses the level at exactly that price.
    """
    if direction * (here.price - level) >= 0:
        return here
    for corner in range(int(here.position), SEGMENTS):
        start, end = path[corner], path[corner + 1]
        if direction * (end - level) >= 0:
            position = corner + (level - start) / (end - start)
            return Point(position, level) if position < until else None
    return None
