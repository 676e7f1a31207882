"""A venue's stream followed to its end, which is always a VenueError."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from shared.runtime.patience import ended
from shared.venues.trouble import Fate, VenueError


async def followed(
    stream: Coroutine[Any, Any, None], venue: str, may_be_mute: Callable[[], float] = lambda: float("inf")
) -> NoReturn:
    """Follow `stream` until it ends, or until it has been mute for longer than it `may_be_mute`: seconds from now.

    Clients of venues lose a cancellation, and break off their own streams by one: neither ends more than the stream.
    """
    following = asyncio.ensure_future(stream)
    try:
        while not following.done() and (left := may_be_mute()) > 0:
            await asyncio.wait({following}, timeout=None if left == float("inf") else left)
        if not following.done():
            raise VenueError(venue, Fate.RETRY, "nothing was heard for too long")
        if following.cancelled():
            raise VenueError(venue, Fate.RETRY, "the stream was broken off by its client")
        following.result()
    finally:
        await ended(following)
    raise VenueError(venue, Fate.RETRY, "the stream ended")
