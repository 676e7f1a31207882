"""The account's stream of trade updates: one connection, nothing said twice, nothing kept for later."""

import json
from typing import Any

from aiohttp import WSMsgType, web

from tests.venues.alpaca import answers
from tests.venues.alpaca.access import Access
from tests.venues.alpaca.exchange import Exchange
from tests.venues.alpaca.floor import Event
from tests.venues.alpaca.frames import DISTURBED, binary_json
from tests.venues.alpaca.orders import plain, written
from tests.venues.channel import Channel
from tests.venues.faults import Faults

STREAM = "trade_updates"


class TradeStream:
    """Serves /stream. `channel` is the connection that is authorized, `listening` whether it asked for updates."""

    def __init__(self, access: Access, exchange: Exchange, faults: Faults, *, binary: bool) -> None:
        self.channel: Channel | None = None
        self.listening = False
        self._access, self._exchange, self._faults = access, exchange, faults
        self._encode = binary_json if binary else json.dumps

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from its beginning to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        channel = Channel(request, socket, self._faults, self._encode, DISTURBED)
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) and not await self._hear(channel, message.data):
                    await socket.close()
        finally:
            if self.channel is channel:
                self.channel, self.listening = None, False
        return socket

    async def publish(self) -> None:
        """Tell what has happened since the last time, to whoever listens now."""
        events, self._exchange.events = self._exchange.events, []
        for event in events:
            if self.channel is not None and self.listening:
                await self.channel.tell(STREAM, {"stream": STREAM, "data": self._told(event)})

    async def _hear(self, channel: Channel, data: str | bytes) -> bool:
        """Answer a message; false where the connection is to be closed after it."""
        try:
            asked = json.loads(data)
        except ValueError:
            asked = {}
        action = asked.get("action")
        if action in ("auth", "authenticate"):
            return await self._authorize(channel, asked)
        if action == "listen" and self.channel is channel:
            streams = [name for name in asked.get("data", {}).get("streams", []) if name == STREAM]
            self.listening = bool(streams)
            await channel.answer({"stream": "listening", "data": {"streams": streams}})
            return True
        await channel.answer({"stream": "listening", "data": {"error": "unable to process request"}})
        return self.channel is channel

    async def _authorize(self, channel: Channel, asked: dict[str, Any]) -> bool:
        keys = asked.get("data", {})
        key, secret = keys.get("key_id", asked.get("key", "")), keys.get("secret_key", asked.get("secret", ""))
        free = self.channel is None or self.channel is channel
        authorized = self._access.knows(key, secret) and free
        if authorized:
            self.channel = channel
        status = "authorized" if authorized else "unauthorized"
        reason = {} if free else {"message": "connection limit exceeded"}
        told = {"status": status, "action": "authenticate"} | reason
        await channel.answer({"stream": "authorization", "data": told})
        return authorized

    def _told(self, event: Event) -> dict[str, Any]:
        order = answers.order(event.order, self._exchange.books)
        told = {"event": event.kind, "timestamp": written(event.at), "order": order}
        if event.fill is None:
            return told | {"execution_id": event.execution_id}
        return told | {
            "execution_id": event.fill.id,
            "position_qty": plain(event.position_qty),
            "price": plain(event.fill.price),
            "qty": plain(event.fill.qty),
        }
