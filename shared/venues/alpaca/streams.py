"""alpaca-py's streams without their loops: connected once, followed to their end, which is a VenueError.

Their own loops connect again on every error, for ever, and swallow what the listener raises.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

import websockets
from alpaca.data.live.websocket import DataStream
from alpaca.trading.stream import TradingStream

from shared.runtime.patience import ended_within
from shared.venues.alpaca.client import Access
from shared.venues.alpaca.errors import NAME, stream_refusal
from shared.venues.trouble import Fate, VenueError

Heard = Callable[[Mapping[str, Any]], None]
_SOCKET = {"ping_interval": 10, "ping_timeout": 20, "close_timeout": 1, "max_queue": 1024}
_BEGINNING_SECONDS = 15.0


class Stream(Protocol):
    """A connection that can be made and read."""

    async def begin(self) -> None:
        """Connect, say who we are and what is wanted."""

    async def _consume(self) -> Any: ...

    async def close(self) -> None:
        """End the connection."""


class Bars(DataStream):
    """Closed bars of the minute of some symbols; `alive` on every message."""

    def __init__(
        self, access: Access, path: str, symbols: Sequence[str], heard: Heard, alive: Callable[[], None]
    ) -> None:
        super().__init__(
            access.bars_stream(path), access.key, access.secret, raw_data=True, websocket_params=dict(_SOCKET)
        )
        self._heard = heard
        self._alive = alive
        self._subscribe(self._bar, (*symbols,), self._handlers["bars"])  # type: ignore[arg-type]

    async def begin(self) -> None:
        """Connect, say who we are and what is wanted."""
        await self._start_ws()
        await self._send_subscribe_msg()

    async def _dispatch(self, msg: dict[str, Any]) -> None:
        if msg.get("T") == "error":
            raise stream_refusal(str(msg.get("msg")), msg.get("code"))
        self._alive()
        await super()._dispatch(msg)

    async def _bar(self, msg: Any) -> None:
        self._heard(msg)


class OrderUpdates(TradingStream):
    """What the account's orders go through; `ready` once it listens."""

    def __init__(self, access: Access, heard: Heard, ready: Callable[[], None]) -> None:
        super().__init__(
            access.key,
            access.secret,
            access.paper,
            raw_data=True,
            url_override=access.orders_stream,
            websocket_params=dict(_SOCKET),
        )
        self._heard = heard
        self._ready = ready
        self.subscribe_trade_updates(self._update)

    async def begin(self) -> None:
        """Connect, say who we are and what is wanted."""
        await self._start_ws()  # type: ignore[no-untyped-call]

    async def _dispatch(self, msg: dict[str, Any]) -> None:
        if msg.get("stream") == "listening":
            if "trade_updates" not in msg["data"].get("streams", ()):
                raise stream_refusal(f"it is not to be had: {msg['data']}")
            self._ready()
        await super()._dispatch(msg)

    async def _update(self, msg: Any) -> None:
        self._heard(msg["data"])


async def follow(stream: Stream, what: str) -> NoReturn:
    """Read `stream`, which is `what`, to its end; that is a VenueError."""
    try:
        await ended_within(stream.begin(), _BEGINNING_SECONDS)
        await ended_within(stream._consume())
    except (websockets.WebSocketException, OSError, EOFError) as error:  # a time-out is an OSError, too
        raise VenueError(NAME, Fate.RETRY, f"{what} ended: {error!r}") from error
    except ValueError as error:  # alpaca-py's for an authentication that fails, and for a message that is none
        raise stream_refusal(f"{what} ended: {error}") from error
    finally:
        await stream.close()
    raise VenueError(NAME, Fate.RETRY, f"{what} ended")
