"""Binance's spot market on real sockets of the loopback interface, for an unmodified client.

    async with BinanceServer() as server:
        server.account.fund(USDT="10000")
        await server.market.play(candle("BTCUSDT", start, "100", "110", "90", "105"))

What the venue's documents say it refuses, it refuses. What it does without being asked is planned with `faults`, by
these names: "POST /api/v3/order" and the like for REST, "CONNECT /ws-api/v3" for the beginning of a WebSocket,
"WS order.place" for a request on it, "stream executionReport" for a message, "fill BTCUSDT" for an accepted order.
"""

from decimal import Decimal

from aiohttp import web

from tests.venues.binance import streams, wsapi
from tests.venues.binance.account import Account
from tests.venues.binance.publishing import Publishing
from tests.venues.binance.rest import Request, Rest, cut
from tests.venues.binance.symbols import Symbol
from tests.venues.binance.venue import Clock, Venue, wall_clock
from tests.venues.faults import Fault, Faults
from tests.venues.loopback import LoopbackServer
from tests.venues.market import Market


def ordinary_symbols() -> tuple[Symbol, ...]:
    """BTC, ETH and BNB against USDT, with the rules that these have, roughly."""
    return (
        Symbol("BTC", "USDT"),
        Symbol("ETH", "USDT", step=Decimal("0.0001"), min_qty=Decimal("0.0001"), market_max_qty=Decimal(2000)),
        Symbol("BNB", "USDT", step=Decimal("0.001"), min_qty=Decimal("0.001"), market_max_qty=Decimal(2000)),
    )


class BinanceServer(LoopbackServer):
    """Binance's spot venue.

    `account` is the account of the ordinary key; its `exchange.books` hold every order, trade and balance.
    A bug of the server itself is raised at the end, so that it is not taken for the venue's trouble.
    """

    def __init__(
        self,
        symbols: tuple[Symbol, ...] | None = None,
        market: Market | None = None,
        faults: Faults | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        self.market = market or Market()
        self.faults = faults or Faults()
        self.venue = Venue(symbols or ordinary_symbols(), self.market, self.faults, clock)
        self.publishing = Publishing(self.venue)
        self.rest = Rest(self.venue, self.publishing)
        self._bugs: list[Exception] = []

    @property
    def account(self) -> Account:
        """The account of the ordinary key."""
        return self.venue.account

    @property
    def accounts(self) -> dict[str, Account]:
        """All accounts by API key."""
        return self.venue.accounts

    @property
    def requests(self) -> list[Request]:
        """Every REST request that came, in order."""
        return self.rest.requests

    async def __aexit__(self, *told: object) -> None:
        self.publishing.forget()
        await super().__aexit__(*told)
        if self._bugs:
            raise self._bugs[0]

    async def deposit(self, asset: str, amount: Decimal) -> None:
        """Add to the account's balance from outside, and tell its streams."""
        self.account.exchange.deposit(asset, amount)
        await self.publishing.publish()

    def cut_streams(self) -> None:
        """Cut every WebSocket connection."""
        for channel in self.publishing.channels():
            channel.cut()

    async def terminate_user_streams(self) -> None:
        """End every subscription to account events, as the venue does when a key is withdrawn."""
        for connection in list(self.publishing.connections):
            await connection.unsubscribe()

    async def announce_shutdown(self) -> None:
        """Say `serverShutdown` on every WebSocket connection; the venue cuts it ten minutes later."""
        event = {"e": "serverShutdown", "E": self.venue.clock()}
        for listener in list(self.publishing.listeners):
            told = {"stream": "!serverShutdown", "data": event} if listener.combined else event
            await listener.channel.tell("serverShutdown", told)
        for connection in list(self.publishing.connections):
            await connection.channel.tell("serverShutdown", {"event": event})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._serve(request)
        except ConnectionError:  # the client, which may have been killed, is gone before it was let in
            return cut(request)
        except Exception as bug:
            self._bugs.append(bug)
            raise

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return await self.rest.handle(request)
        fault = self.faults.draw(f"CONNECT {request.path}", Fault.REQUEST_LOST, Fault.SERVER_ERROR)
        if fault is Fault.REQUEST_LOST:
            return cut(request)
        if fault is Fault.SERVER_ERROR:
            return web.Response(status=503)
        if request.path == "/ws-api/v3":
            return await wsapi.serve(request, self.publishing)
        if request.path in ("/ws", "/stream") or request.path.startswith("/ws/"):
            return await streams.serve(request, self.publishing)
        return web.Response(status=404)
