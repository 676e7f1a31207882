"""Deciding a recorded session again, beside reading its facts and nothing more."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from bench.figures import Figure, at_least, beside
from services.runner.replay.session import Replay
from shared.schemas.codec import decode_line, encode
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from tests.rehearsal import candles_at, feed_of, rehearse, session

TARGET = 50_000
T = TypeVar("T")


def measure(full: bool) -> list[Figure]:
    """Events a second for a session of one symbol that trades every few bars."""
    walk = [str(100 + (number * 7919 % 13)) for number in range(20_000 if full else 3_000)]
    told = rehearse(session(strategies=[{"name": "ema_crossover"}]), feed_of(candles_at(walk))).events
    lines = [encode(event) for event in told]
    decoded, events = _timed(lambda: [decode_line(line) for line in lines])
    seconds, difference = _timed(lambda: _replayed(events))
    assert difference is None, difference
    speed = len(events) / (decoded + seconds)
    return [
        at_least("replay of a recorded session", speed, "events/s", TARGET),
        beside("replay beside decoding alone", speed, "events/s", "decoding", len(events) / decoded),
    ]


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _replayed(events: Sequence[Event]) -> object:
    start = next(event for event in events if isinstance(event, RunnerStart))
    replay = Replay(start, [event for event in events if event.service == "risk"])
    for event in events:
        replay.take(event)
    return replay.finish()
