"""The course of a session: its slices in order, and the moments at which it is to stop."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from services.runner.feeds.port import FeedError, Slice
from shared.schemas.market import timeframe_of
from shared.schemas.session import SessionConfig

END_OF_DATA = "the end of the data"
MAX_DURATION = "max_duration"


class Step(NamedTuple):
    """One slice. `stop`, if any, is why the session is to begin its end before this slice is decided on."""

    candles: Slice
    warmup: bool
    stop: str | None


def closing_slices(config: SessionConfig) -> int:
    """How many slices a market order needs to fill: the next one, and those that the venue's latency takes."""
    return 1 + -(-config.paper.latency // timeframe_of(config.timeframe))


def opening(config: SessionConfig, slices: Iterable[Slice]) -> tuple[datetime, Iterator[Slice]]:
    """When trading starts in market time, and the slices from the first on; FeedError when history is too short."""
    stream = iter(slices)
    head = list(islice(stream, config.warmup_bars + 1))
    if len(head) <= config.warmup_bars:
        raise FeedError(
            f"warmup_bars is {config.warmup_bars}, but the feed holds {len(head)} bars; nothing is left to trade"
        )
    return head[-1][0].open_time, _chained(head, stream)


def _chained(head: list[Slice], rest: Iterator[Slice]) -> Iterator[Slice]:
    yield from head
    yield from rest


class Ending(NamedTuple):
    """When a session is to begin its end: with `reserve` slices left to trade, or once `at` has come."""

    reserve: int
    at: datetime | None

    def reason(self, close_time: datetime, remaining: int) -> str | None:
        """Why a slice that closes at `close_time`, with `remaining` others to follow, begins the end; else None."""
        if self.at is not None and close_time >= self.at:
            return MAX_DURATION
        return END_OF_DATA if remaining < self.reserve else None


def ending(config: SessionConfig, market_start: datetime) -> Ending:
    """The end of a session that began at `market_start`.

    A session that flattens begins its end early enough for the last bars to fill its orders: the feed's length may be
    known in advance, as a market's closing time is; its prices are not looked at.
    """
    return Ending(closing_slices(config) if config.on_stop == "flatten" else 0, config.ends_at(market_start))


def course(config: SessionConfig, slices: Iterable[Slice], market_start: datetime) -> Iterator[Step]:
    """The steps of a session."""
    end = ending(config, market_start)
    for number, (candles, remaining) in enumerate(_with_remaining(slices, end.reserve)):
        warmup = number < config.warmup_bars
        yield Step(candles, warmup, None if warmup else end.reason(candles[0].close_time, remaining))


def _with_remaining(slices: Iterable[Slice], ahead: int) -> Iterator[tuple[Slice, int]]:
    """Each slice and how many follow it, counted up to `ahead` + 1."""
    window: deque[Slice] = deque()
    for candles in slices:
        window.append(candles)
        if len(window) > ahead + 1:
            yield window.popleft(), ahead + 1
    while window:
        candles = window.popleft()
        yield candles, len(window)
