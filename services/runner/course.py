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


def course(config: SessionConfig, slices: Iterable[Slice], market_start: datetime) -> Iterator[Step]:
    """The steps of a session.

    A session that flattens begins its end early enough for the last bars to fill its orders: the feed's length may be
    known in advance, as a market's closing time is; its prices are not looked at.
    """
    ends_at = config.ends_at(market_start)
    reserve = closing_slices(config) if config.on_stop == "flatten" else 0
    for number, (candles, remaining) in enumerate(_with_remaining(slices, reserve)):
        stop = END_OF_DATA if remaining < reserve else None
        if ends_at is not None and candles[0].close_time >= ends_at:
            stop = MAX_DURATION
        warmup = number < config.warmup_bars
        yield Step(candles, warmup, None if warmup else stop)


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
