"""A main task and those that accompany it: all end together, and no failure goes unnoticed."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from shared.runtime.patience import ended

T = TypeVar("T")


async def accompanied(main: Coroutine[Any, Any, T], *companions: Coroutine[Any, Any, None]) -> T:
    """The result of `main`, while `companions` run beside it.

    The first failure of any of them ends all and is raised, one that loses a cancellation too, as libraries with
    `asyncio.wait_for` in them do before Python 3.12.
    """
    leading = asyncio.ensure_future(main)
    others = [asyncio.ensure_future(companion) for companion in companions]
    try:
        waiting: set[asyncio.Future[Any]] = {leading, *others}
        while not leading.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {leading}:
                task.result()
        return leading.result()
    finally:
        await ended(leading, *others)
