"""Reading the stream with nats-py's own ordered consumer and nothing more: what reading is held against."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import nats

from bench.figures import Reference
from shared.runtime import clock
from shared.runtime.settings import Settings
from shared.schemas.subjects import ALL_EVENTS, EVENTS

THERE = 175_000
"""Messages a second, 5.7 µs each, on the machine for which the targets were set."""
_ROUNDS = 9


def beside_bare(speed: float) -> Reference:
    """The reference for figures taken in the same run as its `speed`, in messages a second."""
    return Reference("bare nats-py", speed, THERE)


async def read_barely(settings: Settings, count: int) -> None:
    """All `count` messages by a push consumer of nats-py, counted and dropped."""
    client, seen, done = await nats.connect(settings.nats_url), 0, asyncio.Event()

    async def take(message: object) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            done.set()

    await client.jetstream().subscribe(ALL_EVENTS, stream=EVENTS, cb=take, ordered_consumer=True)
    await done.wait()
    await client.close()


async def fastest(works: Mapping[str, Callable[[], Awaitable[None]]], rounds: int = _ROUNDS) -> dict[str, float]:
    """The seconds of each at its best, in turns: whatever else the machine does only ever adds."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(await timed(work))
    return {name: min(seconds) for name, seconds in taken.items()}


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    """The seconds that `work` takes."""
    began = clock.monotonic()
    await work()
    return clock.monotonic() - began
