"""The market data streams, in MessagePack where the client asks for it and in JSON otherwise."""

import json
from datetime import datetime
from typing import Any

import msgpack
from aiohttp import WSMsgType, web

from tests.venues.alpaca.access import Access
from tests.venues.alpaca.bars import bar_told, quote_told, trade_told
from tests.venues.alpaca.frames import DISTURBED, packed
from tests.venues.channel import Channel
from tests.venues.faults import Faults
from tests.venues.market import Bar, Market, Price

PATHS = {"/v2/iex": False, "/v1beta3/crypto/us": True}
"""The paths that are served, and whether they are about pairs."""
CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "orderbooks")
CONNECTED = {"T": "success", "msg": "connected"}
AUTHENTICATED = {"T": "success", "msg": "authenticated"}


class Listener:
    """A connection, and the symbols that it asked for by channel."""

    def __init__(self, channel: Channel, *, crypto: bool) -> None:
        self.channel, self.crypto = channel, crypto
        self.authenticated = False
        self.wanted: dict[str, set[str]] = {}

    def wants(self, kind: str, symbol: str) -> bool:
        """Whether a message of that channel about that symbol is for it."""
        symbols = self.wanted.get(kind, set())
        return self.authenticated and self.crypto == ("/" in symbol) and bool(symbols & {symbol, "*"})


class DataStream:
    """Serves both streams; `listeners` are the connections that are open. One of each kind may be authenticated."""

    def __init__(self, access: Access, market: Market, faults: Faults) -> None:
        self.listeners: list[Listener] = []
        self._access, self._faults = access, faults
        market.subscribe(self._on_price, self._on_bar)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from its beginning to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        binary = "msgpack" in request.headers.get("Content-Type", "")
        channel = Channel(request, socket, self._faults, packed if binary else _text, DISTURBED)
        listener = Listener(channel, crypto=PATHS[request.path])
        self.listeners.append(listener)
        try:
            await channel.answer([CONNECTED])
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await channel.answer([self._answer(listener, _read(message.data))])
        finally:
            self.listeners.remove(listener)
        return socket

    def _answer(self, listener: Listener, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict):
            return _error(400, "invalid syntax")
        action = asked.get("action")
        if action == "auth":
            return self._authenticate(listener, asked)
        if not listener.authenticated:
            return _error(401, "not authenticated")
        if action not in ("subscribe", "unsubscribe"):
            return _error(400, "invalid syntax")
        for kind in CHANNELS:
            symbols = listener.wanted.setdefault(kind, set())
            if action == "subscribe":
                symbols |= set(asked.get(kind, []))
            else:
                symbols -= set(asked.get(kind, []))
        return {"T": "subscription"} | {kind: sorted(symbols) for kind, symbols in listener.wanted.items()}

    def _authenticate(self, listener: Listener, asked: dict[str, Any]) -> dict[str, Any]:
        if listener.authenticated:
            return _error(403, "already authenticated")
        if not self._access.knows(asked.get("key", ""), asked.get("secret", "")):
            return _error(402, "auth failed")
        if any(other.authenticated and other.crypto == listener.crypto for other in self.listeners):
            return _error(406, "connection limit exceeded")
        listener.authenticated = True
        return AUTHENTICATED

    async def _on_price(self, price: Price) -> None:
        trade = {"T": "t", "S": price.symbol} | trade_told(price.symbol, price.price, price.qty, price.at)
        quote = {"T": "q", "S": price.symbol} | quote_told(price.symbol, price.price, price.at)
        await self._tell("trades", price.symbol, trade | {"t": price.at})
        await self._tell("quotes", price.symbol, quote | {"t": price.at})

    async def _on_bar(self, symbol: str, bar: Bar, closed: bool) -> None:
        if closed:
            await self._tell("bars", symbol, {"T": "b", "S": symbol} | bar_told(bar) | {"t": bar.opened})

    async def _tell(self, kind: str, symbol: str, message: dict[str, Any]) -> None:
        for listener in list(self.listeners):
            if listener.wants(kind, symbol):
                await listener.channel.tell(kind, [message])


def _error(code: int, msg: str) -> dict[str, Any]:
    return {"T": "error", "code": code, "msg": msg}


def _read(data: str | bytes) -> Any:
    try:
        return msgpack.unpackb(data) if isinstance(data, bytes) else json.loads(data)
    except (ValueError, msgpack.UnpackException):
        return None


def _text(message: Any) -> str:
    def moment(value: Any) -> str:
        if isinstance(value, datetime):
            return value.isoformat().replace("+00:00", "Z")

        raise TypeError(value)

    return json.dumps(message, default=moment)
