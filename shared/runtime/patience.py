"""Waiting for something to happen, but not for ever."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_CANCELLED_AGAIN_SECONDS = 0.05
T = TypeVar("T")


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether `event` is set, or is set within `seconds`.

    In place of `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes together with the event.
    Everything else gets a turn in any case: who asks in a loop must not keep what it waits for from happening.
    """
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(max(seconds, 0)):
            return await event.wait()
    except TimeoutError:
        return event.is_set()


async def ended_within(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """What `work` answers; TimeoutError when it takes longer, and then it has been ended.

    Unlike `asyncio.timeout`, this also ends work that loses a cancellation, as libraries with `asyncio.wait_for` in
    them do before Python 3.12.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        await ended(task)


async def ended(task: "asyncio.Future[Any]") -> None:
    """Return once `task` has been ended, be it by a cancellation that it did not lose; what it raised is let go."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_CANCELLED_AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()
