"""A bare client of the test server: it shows each answer as it came, with its status and headers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

from tests.venues.binance.server import BinanceServer
from tests.venues.binance.signing import signature_of
from tests.venues.raw_answer import Answer, answer_of

RECEIVE_SECONDS = 10
PATIENT_WINDOW = 60_000
"""The longest there is, in milliseconds: a stalled machine is no wrong clock."""


class RawClient:
    """Calls with the ordinary key, unless told otherwise."""

    def __init__(self, server: BinanceServer, session: ClientSession) -> None:
        self.server = server
        self.session = session

    async def open(self, path: str, **parameters: str) -> Answer:
        """A request that needs no key."""
        return await self._send("GET", f"{path}?{urlencode(parameters)}", {})

    async def signed(self, name: str, *, key: str = "", secret: str = "", **parameters: Any) -> Answer:
        """A signed request, `name` being "POST /api/v3/order"; it has the server's time unless it is given one."""
        account = self.server.account
        sent = {"timestamp": self.server.venue.clock(), "recvWindow": PATIENT_WINDOW} | parameters
        query = urlencode({field: value for field, value in sent.items() if value is not None})
        query += "&signature=" + signature_of(secret or account.secret, query)
        method, _, path = name.partition(" ")
        return await self._send(method, f"{path}?{query}", {"X-MBX-APIKEY": key or account.key})

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[ClientWebSocketResponse]:
        """A WebSocket."""
        async with self.session.ws_connect(self.server.ws_url + path) as socket:
            yield socket

    @asynccontextmanager
    async def user_stream(self) -> AsyncIterator[ClientWebSocketResponse]:
        """A WebSocket that is subscribed to the account's events."""
        account = self.server.account
        sent: dict[str, Any] = {"apiKey": account.key, "timestamp": self.server.venue.clock()}
        sent["recvWindow"] = PATIENT_WINDOW
        sent["signature"] = signature_of(account.secret, urlencode(sorted(sent.items())))
        async with self.stream("/ws-api/v3") as socket:
            await socket.send_json({"id": "1", "method": "userDataStream.subscribe.signature", "params": sent})
            answer = await socket.receive_json(timeout=RECEIVE_SECONDS)
            assert answer["result"] == {"subscriptionId": 0}, answer
            yield socket

    async def _send(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        async with self.session.request(method, self.server.url + target, headers=headers) as response:
            return await answer_of(response)


@asynccontextmanager
async def raw_client(server: BinanceServer) -> AsyncIterator[RawClient]:
    """A client whose every request has a connection of its own.

    aiohttp repeats a GET or a DELETE once whose connection was cut.
    """
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        yield RawClient(server, session)
