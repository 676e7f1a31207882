"""Bars of several minutes, made of the minutes that are streamed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from shared.schemas.market import Candle, timeframe_of
from shared.venues.alpaca.errors import NAME
from shared.venues.trouble import Fate, VenueError

MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


def step_of(timeframe: str) -> timedelta:
    """The length of a session's bars; VenueError where an hour is not made of a whole number of them."""
    step = timeframe_of(timeframe)
    if step % MINUTE or step > _HOUR or _HOUR % step:
        problem = f"timeframe {timeframe!r}: write 1m or so many minutes that an hour has a whole number of them"
        raise VenueError(NAME, Fate.REFUSED, problem)
    return step


class Minutes:
    """The bars of one symbol, `step` long, as their minutes come in.

    A bar is told only where each of its minutes was heard: whether one is missing because nothing was traded or because
    the stream left it out, REST knows.
    """

    def __init__(self, step: timedelta) -> None:
        self._step = step
        self._heard: list[Candle] = []

    def add(self, minute: Candle) -> Candle | None:
        """The bar that ends with this minute, or None."""
        begins = _begin(minute.open_time, self._step)
        follows = bool(self._heard) and self._heard[-1].close_time == minute.open_time
        if minute.open_time == begins:
            self._heard = [minute]
        elif follows:
            self._heard.append(minute)
        else:
            return None
        if minute.close_time != begins + self._step:
            return None
        told, self._heard = self._heard, []
        return _whole(told)


def _begin(at: datetime, step: timedelta) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour + (at - hour) // step * step


def _whole(parts: Sequence[Candle]) -> Candle:
    return Candle(
        symbol=parts[0].symbol,
        open_time=parts[0].open_time,
        close_time=parts[-1].close_time,
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        close=parts[-1].close,
        volume=sum((part.volume for part in parts), Decimal(0)),
    )
