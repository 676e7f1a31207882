"""One WebSocket as the venue writes to it, with the trouble that was planned for its messages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.venues.binance.amounts import compact
from tests.venues.binance.disturbing import with_unknown_fields, without_optional_fields
from tests.venues.binance.venue import Venue
from tests.venues.faults import Fault, Faults

TROUBLE = (
    Fault.DUPLICATED,
    Fault.REORDERED,
    Fault.MUTE,
    Fault.CUT,
    Fault.UNKNOWN_FIELDS,
    Fault.MISSING_FIELDS,
)


class Outbox:
    """`mute` says that nothing is said any more; `cut` that the connection is gone."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, faults: Faults) -> None:
        self.mute = False
        self._request = request
        self._socket = socket
        self._faults = faults
        self._held: list[Any] = []

    async def answer(self, message: Any) -> None:
        """Say what belongs to a request."""
        await self._write(message)

    async def tell(self, kind: str, message: Any) -> None:
        """Say what belongs to a stream; `kind` names the message for the faults ("stream kline")."""
        fault = self._faults.draw(f"stream {kind}", *TROUBLE)
        if fault is Fault.CUT:
            return self.cut()
        if fault is Fault.MUTE:
            self.mute = True
        if fault is Fault.REORDERED:
            self._held.append(message)
            return
        if fault is Fault.UNKNOWN_FIELDS:
            message = with_unknown_fields(message)
        if fault is Fault.MISSING_FIELDS:
            message = without_optional_fields(message)
        held, self._held = self._held, []
        for part in [message, *([message] if fault is Fault.DUPLICATED else []), *held]:
            await self._write(part)

    def cut(self) -> None:
        """End the connection without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _write(self, message: Any) -> None:
        if self.mute or self._socket.closed:
            return
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(compact(message))


@asynccontextmanager
async def connected(request: web.Request, venue: Venue) -> AsyncIterator[tuple[web.WebSocketResponse, Outbox]]:
    """A WebSocket for the request, pinged as long as it is open."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    pinging = asyncio.get_running_loop().create_task(_ping(socket, venue))
    try:
        yield socket, Outbox(request, socket, venue.faults)
    finally:
        pinging.cancel()


async def _ping(socket: web.WebSocketResponse, venue: Venue) -> None:
    while not socket.closed:
        await asyncio.sleep(venue.ping_seconds)
        with contextlib.suppress(ConnectionError):
            await socket.ping(str(venue.clock()).encode())
