"""Waiting for something to happen, but not for ever."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_CANCELLED_AGAIN_SECONDS = 0.5
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


async def ended_within(work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
    """What `work` answers; TimeoutError when it takes longer than `seconds`, and then it has been ended.

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


async def ended(*tasks: "asyncio.Future[Any]") -> None:
    """Return once all `tasks` have been ended, be it by a cancellation that they did not lose.

    What they raised is let go. Who is cancelled while waiting here is so once they have ended.
    """
    interrupted: asyncio.CancelledError | None = None
    while going_on := [task for task in tasks if not task.done()]:
        for task in going_on:
            task.cancel()
        try:
            await asyncio.wait(going_on, timeout=_CANCELLED_AGAIN_SECONDS)
        except asyncio.CancelledError as error:
            interrupted = error
    for task in tasks:
        if not task.cancelled():
            task.exception()
    if interrupted is not None:
        raise interrupted
