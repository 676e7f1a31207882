"""A WebSocket for a request, pinged as the venue pings it, and what is written to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.venues.binance.amounts import compact
from tests.venues.binance.disturbing import with_unknown_fields, without_optional_fields
from tests.venues.binance.venue import Venue
from tests.venues.channel import Channel
from tests.venues.faults import Fault

_DISTURBED: Mapping[Fault, Callable[[Any], Any]] = {
    Fault.UNKNOWN_FIELDS: with_unknown_fields,
    Fault.MISSING_FIELDS: without_optional_fields,
}


@asynccontextmanager
async def connected(request: web.Request, venue: Venue) -> AsyncIterator[tuple[web.WebSocketResponse, Channel]]:
    """A WebSocket for the request, pinged as long as it is open."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    pinging = asyncio.get_running_loop().create_task(_ping(socket, venue))
    try:
        yield socket, Channel(request, socket, venue.faults, compact, _DISTURBED)
    finally:
        pinging.cancel()


async def _ping(socket: web.WebSocketResponse, venue: Venue) -> None:
    while not socket.closed:
        await asyncio.sleep(venue.ping_seconds)
        with contextlib.suppress(ConnectionError):
            await socket.ping(str(venue.clock()).encode())
