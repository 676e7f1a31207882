"""Alpaca on real sockets of the loopback interface, for an unmodified client.

    async with AlpacaServer() as server:
        await server.market.play(candle("AAPL", server.start, "190", "191", "189", "190.5"))

What the venue's documents say it refuses, it refuses. What it does without being asked is planned with `faults`.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from aiohttp import web

from tests.venues.alpaca.access import Access
from tests.venues.alpaca.assets import Asset, ordinary_assets
from tests.venues.alpaca.bars import DataDesk
from tests.venues.alpaca.books import Books, Fill, Position
from tests.venues.alpaca.calendar import Calendar
from tests.venues.alpaca.data_stream import PATHS, DataStream
from tests.venues.alpaca.exchange import Exchange
from tests.venues.alpaca.gates import Standing
from tests.venues.alpaca.orders import Order
from tests.venues.alpaca.rest import Request, Rest
from tests.venues.alpaca.routes import Desk
from tests.venues.alpaca.trade_stream import TradeStream
from tests.venues.faults import Faults
from tests.venues.loopback import LoopbackServer
from tests.venues.market import Bar, Market, Price

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
"""A Monday, half an hour after the opening."""


class AlpacaServer(LoopbackServer):
    """An asynchronous context manager; `url` and `ws_url` are origins without a path, known once it is entered.

    Its time is `clock`'s: the market's unless one is given, `start` before anything is played. `seconds` is the time
    of the limit of requests a minute. `standing` is what the account may do.
    """

    def __init__(
        self,
        assets: tuple[Asset, ...] | None = None,
        market: Market | None = None,
        faults: Faults | None = None,
        clock: Callable[[], datetime] | None = None,
        calendar: Calendar | None = None,
        cash: Decimal = Decimal(100_000),
        start: datetime = START,
        *,
        paper: bool = True,
        limit: int = 200,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self.market, self.faults, self.start = market or Market(), faults or Faults(), start
        self.access = Access(paper=paper, limit=limit, seconds=seconds)
        named = {asset.symbol: asset for asset in assets or ordinary_assets()}
        self.exchange = Exchange(
            named, self.market, self.faults, clock or self._market_time, calendar or Calendar(), cash
        )
        self.desk = Desk(self.exchange)
        self.trade_stream = TradeStream(self.access, self.exchange, self.faults, binary=paper)
        self.rest = Rest(self.desk, DataDesk(self.market), self.access, self.faults, self.trade_stream.publish)
        self.market.subscribe(self._on_price, self._on_bar)
        self.data_stream = DataStream(self.access, self.market, self.faults)

    @property
    def key(self) -> str:
        """The key that the server knows."""
        return self.access.key

    @property
    def secret(self) -> str:
        """Its secret."""
        return self.access.secret

    @property
    def books(self) -> Books:
        """Everything that the venue keeps."""
        return self.exchange.books

    @property
    def standing(self) -> Standing:
        """What the broker and the user allow the account; tests change it in place."""
        return self.exchange.standing

    @property
    def orders(self) -> list[Order]:
        """Every order there has been, oldest first."""
        return list(self.books.orders.values())

    @property
    def fills(self) -> list[Fill]:
        """Every fill, oldest first."""
        return self.books.fills

    @property
    def positions(self) -> dict[str, Position]:
        """What is held, by symbol without a slash."""
        return self.books.positions

    @property
    def requests(self) -> list[Request]:
        """Every REST request that came, in order."""
        return self.rest.requests

    def cut_streams(self) -> None:
        """Cut every WebSocket connection."""
        if self.trade_stream.channel is not None:
            self.trade_stream.channel.cut()
        for listener in list(self.data_stream.listeners):
            listener.channel.cut()

    async def advance(self) -> None:
        """Let the time that `clock` tells act on orders, and tell what came of it."""
        self.exchange.advance()
        await self.trade_stream.publish()

    def _market_time(self) -> datetime:
        return self.market.now or self.start

    async def _on_price(self, price: Price) -> None:
        self.exchange.advance(price.symbol)
        await self.trade_stream.publish()

    async def _on_bar(self, symbol: str, bar: Bar, closed: bool) -> None:
        if closed:
            await self.advance()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return await self.rest.handle(request)
        if request.path == "/stream":
            return await self.trade_stream.serve(request)
        if request.path in PATHS:
            return await self.data_stream.serve(request)
        return web.Response(status=404)
