"""Waiting for something to happen, but not for ever."""

import asyncio


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
