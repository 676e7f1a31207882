"""A bare client of the test server: it shows each answer as it came, with its status and headers."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

from tests.venues.alpaca.server import AlpacaServer
from tests.venues.raw_answer import Answer, answer_of

RECEIVE_SECONDS = 10


class RawClient:
    """Calls with the server's key, unless told otherwise."""

    def __init__(self, server: AlpacaServer, session: ClientSession) -> None:
        self.server, self.session = server, session

    async def call(self, name: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Answer:
        """A request, `name` being "GET /v2/orders?status=all"; `headers` replace the key's."""
        method, _, target = name.partition(" ")
        keys = {"APCA-API-KEY-ID": self.server.key, "APCA-API-SECRET-KEY": self.server.secret}
        given = keys if headers is None else headers
        async with self.session.request(method, self.server.url + target, json=body, headers=given) as response:
            return await answer_of(response)

    async def order(self, symbol: str, side: str, qty: str | None = "1", **fields: Any) -> Answer:
        """A new order: at the market and for the day, unless the fields say otherwise."""
        time_in_force = "gtc" if "/" in symbol else "day"
        ordinary = {"symbol": symbol, "side": side, "qty": qty, "type": "market", "time_in_force": time_in_force}
        sent = {name: value for name, value in (ordinary | fields).items() if value is not None}
        return await self.call("POST /v2/orders", sent)

    @asynccontextmanager
    async def trade_updates(self) -> AsyncIterator[ClientWebSocketResponse]:
        """A connection that listens to the account's trade updates."""
        async with self.session.ws_connect(self.server.ws_url + "/stream") as socket:
            assert (await authorize(self.server, socket))["status"] == "authorized"
            await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
            heard = await receive(socket)
            assert heard == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
            yield socket


async def authorize(server: AlpacaServer, socket: ClientWebSocketResponse, secret: str | None = None) -> dict[str, Any]:
    """Send the key on the trading stream; what the server says to it."""
    keys = {"key_id": server.key, "secret_key": secret or server.secret}
    await socket.send_json({"action": "authenticate", "data": keys})
    return dict((await receive(socket))["data"])


async def receive(socket: ClientWebSocketResponse) -> Any:
    """The next message, which is JSON in a binary frame on paper."""
    return json.loads(await socket.receive_bytes(timeout=RECEIVE_SECONDS))


async def events(socket: ClientWebSocketResponse, count: int) -> list[str]:
    """The next trade updates, by their kind."""
    return [(await receive(socket))["data"]["event"] for _ in range(count)]


@asynccontextmanager
async def raw_client(server: AlpacaServer) -> AsyncIterator[RawClient]:
    """A client whose every request has a connection of its own, so that nothing is repeated."""
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        yield RawClient(server, session)
