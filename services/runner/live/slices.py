"""The slices of a live market: each closed bar once, in order, and none left out.

The stream tells a bar the moment it has closed. What it did not tell in time, be it broken, mute or late, is asked for
by REST, so that a gap is filled before anything is decided on what comes after it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from services.runner.core.inputs import CallFailed, LinkLost, LinkRestored, VenueTrouble
from services.runner.feeds.port import Slice
from services.runner.live.following import followed
from shared.runtime import clock
from shared.runtime.patience import set_within
from shared.schemas.market import Candle
from shared.venues.live import Market
from shared.venues.measuring import STREAM_UP
from shared.venues.trouble import VenueError

GRACE = timedelta(seconds=3)
"""So long after a bar's end the stream may still tell it before REST is asked."""
MUTE_SECONDS = 90.0
"""A stream that says nothing at all for so long counts as lost."""
_PAUSE_SECONDS = 2.0
_LOOK_SECONDS = 1.0
"""The wall clock is read so often, for it may be set meanwhile, or the machine may have slept."""


class Slices:
    """Follows the market from the slice that closed at `last` on; calls `wake` when there is one to take."""

    def __init__(
        self,
        market: Market,
        symbols: Sequence[str],
        step: timedelta,
        last: datetime,
        wake: Callable[[], None],
        tell: Callable[[VenueTrouble], None],
    ) -> None:
        self._market = market
        self._symbols = symbols
        self._step = step
        self._last = last
        self._wake = wake
        self._tell_trouble = tell
        self._lost = False
        self._up = STREAM_UP.labels(market.name, "market")
        self._pending: dict[datetime, dict[str, Candle]] = {}
        self._ready: deque[Slice] = deque()
        self._news = asyncio.Event()
        self._alive = clock.monotonic()

    def take(self) -> Slice | None:
        """The next slice, or None while there is none."""
        return self._ready.popleft() if self._ready else None

    async def keep(self) -> None:
        """Follow the market, without end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream())
            group.create_task(self._assemble())

    async def _stream(self) -> None:
        while True:
            self._alive = clock.monotonic()
            try:
                stream = self._market.follow(self._heard, self._heard_something)
                await followed(stream, self._market.name, self._may_be_mute)
            except VenueError as error:
                self._lose(str(error))
            await asyncio.sleep(_PAUSE_SECONDS)

    def _may_be_mute(self) -> float:
        return MUTE_SECONDS - (clock.monotonic() - self._alive)

    def _heard_something(self) -> None:
        self._alive = clock.monotonic()
        self._up.set(1)
        if self._lost:
            self._lost = False
            self._tell_trouble(LinkRestored(self._peer))

    def _lose(self, reason: str) -> None:
        if not self._lost:
            self._tell_trouble(LinkLost(self._peer, reason))
        self._lost = True
        self._up.set(0)

    @property
    def _peer(self) -> str:
        return f"the market's stream of {self._market.name}"

    def _heard(self, candle: Candle) -> None:
        if candle.close_time > self._last:
            self._pending.setdefault(candle.close_time, {})[candle.symbol] = candle
            self._news.set()

    async def _assemble(self) -> None:
        while True:
            self._news.clear()
            self._tell_whole()
            due = self._last + self._step + GRACE
            if clock.now() >= due:
                await self._fill()
            else:
                await set_within(self._news, min((due - clock.now()).total_seconds(), _LOOK_SECONDS))

    def _tell_whole(self) -> None:
        while len(self._pending.get(self._last + self._step, ())) == len(self._symbols):
            self._tell(self._last + self._step)

    def _tell(self, close_time: datetime) -> None:
        candles = self._pending.pop(close_time, {})
        self._last = close_time
        if candles:
            self._ready.append(tuple(candles[symbol] for symbol in self._symbols if symbol in candles))
            self._wake()

    async def _fill(self) -> None:
        """Ask for what the stream has not told; a bar in which nothing was traded may not exist at all."""
        end = closed_by(clock.now(), self._step)
        try:
            for symbol in self._symbols:
                for candle in await self._market.history(symbol, self._last, end):
                    self._heard(candle)
        except VenueError as error:
            wait = error.retry_after or _PAUSE_SECONDS
            self._tell_trouble(CallFailed("read the market's history", str(error), 1, wait))
            await asyncio.sleep(wait)
            return
        while self._last < end:
            self._tell(self._last + self._step)


def closed_by(now: datetime, step: timedelta) -> datetime:
    """The newest moment up to `now` at which bars of that length close."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (now - epoch) // step * step


async def history(market: Market, symbols: Sequence[str], start: datetime, end: datetime) -> Sequence[Slice]:
    """The slices between two moments, oldest first."""
    found: dict[datetime, dict[str, Candle]] = {}
    for symbol in symbols:
        for candle in await market.history(symbol, start, end):
            found.setdefault(candle.close_time, {})[symbol] = candle
    return [tuple(each[symbol] for symbol in symbols if symbol in each) for _, each in sorted(found.items())]
