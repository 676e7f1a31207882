"""One WebSocket as a venue writes to it, with the trouble that was planned for its messages."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from tests.venues.faults import Fault, Faults

TROUBLE = (
    Fault.DUPLICATED,
    Fault.REORDERED,
    Fault.MUTE,
    Fault.CUT,
    Fault.UNKNOWN_FIELDS,
    Fault.MISSING_FIELDS,
)


class Channel:
    """`encode` makes a frame: binary from bytes, text from str. `disturb` says how a fault changes a message.

    `mute` says that nothing is said any more; `cut` that the connection is gone.
    """

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        faults: Faults,
        encode: Callable[[Any], bytes | str],
        disturb: Mapping[Fault, Callable[[Any], Any]],
    ) -> None:
        self.mute = False
        self._request = request
        self._socket = socket
        self._faults = faults
        self._encode = encode
        self._disturb = disturb
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
        if fault is not None and fault in self._disturb:
            message = self._disturb[fault](message)
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
        frame = self._encode(message)
        with contextlib.suppress(ConnectionError):
            if isinstance(frame, bytes):
                await self._socket.send_bytes(frame)
            else:
                await self._socket.send_str(frame)
