"""At which prices the paper venue's orders wake up."""

from typing import NamedTuple

from services.runner.feeds.tape import Tape
from shared.schemas.values import TimeInForce
from shared.venues.paper import Book
from shared.venues.paper.book import Stage, Working

NEVER = float("inf")


class Level(NamedTuple):
    """A bar of `symbol` concerns the order if its low is at or below `floor`, or its high at or above `ceiling`.

    Turning an exact price into a float keeps the order of prices, so no bar is missed.
    """

    symbol: str
    floor: float
    ceiling: float


def levels(book: Book) -> tuple[Level, ...] | None:
    """One level an order; None where the very next bar concerns the venue, whatever its prices."""
    found = tuple(_level(working) for working in book.working.values())
    return None if None in found else found  # type: ignore[return-value]


def _level(working: Working) -> Level | None:
    if working.stage is Stage.ARRIVING or working.ticket.time_in_force is not TimeInForce.GTC:
        return None
    rises = working.direction > 0
    if working.trigger is not None:
        price = working.trigger
    elif working.limit is not None:
        price, rises = working.limit, not rises
    else:
        return None
    other = working.target
    if other is not None:
        price, other = sorted((price, other))
        return Level(working.ticket.symbol, float(price), float(other))
    return Level(working.ticket.symbol, -NEVER if rises else float(price), float(price) if rises else NEVER)


def first_touch(found: tuple[Level, ...], tape: Tape, start: int, stop: int) -> int:
    """The first slice from `start` on whose bars concern an order; `stop` when none does before it."""
    for level in found:
        bars = tape.columns[level.symbol]
        lows, highs = bars.lows[start:stop], bars.highs[start:stop]
        if lows and (min(lows) <= level.floor or max(highs) >= level.ceiling):
            touches = (low <= level.floor or high >= level.ceiling for low, high in zip(lows, highs, strict=True))
            stop = next(number for number, touched in enumerate(touches, start) if touched)
    return stop
