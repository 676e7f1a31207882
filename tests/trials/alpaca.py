"""A trial at the Alpaca test server: in stocks, which rest at night and at the weekend, and in pairs, which do not."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tests.trials.books import Placed, Traded, VenueBooks
from tests.trials.venue_trial import VenueTrial
from tests.venues.alpaca.assets import Asset
from tests.venues.alpaca.books import Fill
from tests.venues.alpaca.server import AlpacaServer
from tests.venues.faults import Fault
from tests.venues.market import Market

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
"""A Monday, half an hour after the opening: a trial of whole days ends while all is traded."""
CASH = Decimal(100_000)
FIRST = {
    "AAPL": Decimal(200),
    "BTC/USD": Decimal(90_000),
    "ETH/USD": Decimal(3_000),
    "WHOLE": Decimal(20),
    **{symbol: Decimal(100) for letter in "ABCDEF" for symbol in (f"X{letter}/USD", f"Y{letter}")},
}
"""Every second of the others is a stock; of one, no parts are sold."""
UNLIMITED = 10_000_000


@dataclass
class Trial(VenueTrial):
    """A session at Alpaca; `server` is the venue."""

    venue = "alpaca"
    quote = "USD"
    start = START
    bars = "stream bars"
    harshest = Fault.TOO_MANY_REQUESTS
    sends = "POST /v2/orders"
    lists = "GET /v2/orders"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        async with AlpacaServer(
            tuple(Asset(symbol, fractionable=symbol != "WHOLE") for symbol in self.first_prices()),
            faults=self.faults,
            clock=self.venue_now,
            cash=CASH,
            limit=200 if self.calm else UNLIMITED,
            seconds=lambda: self.venue_now().timestamp(),
        ) as self.server:
            yield

    def settings(self) -> Mapping[str, str]:
        return {
            "DRY_RUN": "false",
            "ALPACA_PAPER_API_KEY": self.server.key,
            "ALPACA_PAPER_SECRET_KEY": self.server.secret,
            "ALPACA_BASE_URL": self.server.url,
            "ALPACA_DATA_URL": self.server.url,
            "ALPACA_STREAM_URL": self.server.ws_url,
        }

    def first_prices(self) -> Mapping[str, Decimal]:
        return dict(tuple(FIRST.items())[: self.symbols])

    def tick(self, symbol: str) -> Decimal:
        return self.server.exchange.assets[symbol].price_increment

    def trades_at(self, symbol: str, opened: datetime) -> bool:
        return "/" in symbol or self.server.exchange.calendar.is_open(opened)

    def is_followed(self) -> bool:
        return any(listener.wanted.get("bars") for listener in self.server.data_stream.listeners)

    def cut_streams(self) -> None:
        self.server.cut_streams()

    @property
    def market(self) -> Market:
        return self.server.market

    def books(self) -> VenueBooks:
        server = self.server
        names = {order.id: order.terms.client_order_id for order in server.orders}
        return VenueBooks(
            [
                Placed(names[each.id], each.terms.side, each.terms.qty or Decimal(0), each.is_open)
                for each in server.orders
            ],
            [_traded(names[fill.order_id], fill) for fill in server.fills],
            {"USD": server.books.cash, **{_base(held.asset): held.qty for held in server.positions.values()}},
            {"USD": CASH},
            lambda symbol: (symbol.partition("/")[0], "USD"),
        )


def _traded(name: str, fill: Fill) -> Traded:
    trade_id = f"{fill.order_id}@{fill.cumulative.normalize():f}"
    return Traded(name, trade_id, fill.qty, fill.price, fill.fee, _fee_asset(fill.asset, fill.side))


def _base(asset: Asset) -> str:
    return asset.symbol.partition("/")[0]


def _fee_asset(asset: Asset, side: str) -> str:
    """What a trade credits is what its fee is taken from; stocks have none."""
    return _base(asset) if asset.is_crypto and side == "buy" else "USD"
