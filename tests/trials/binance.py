"""A trial at the Binance test server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from shared.schemas.identity import order_of_leg
from tests.trials.books import Placed, Traded, VenueBooks
from tests.trials.venue_trial import VenueTrial
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.server import BinanceServer, ordinary_symbols
from tests.venues.binance.symbols import Symbol
from tests.venues.faults import Fault
from tests.venues.market import Market

START = datetime(2026, 1, 5, tzinfo=UTC)
FUNDED = {"USDT": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(10), "BNB": Decimal(0)}
FIRST = {"BTCUSDT": Decimal(90_000), "ETHUSDT": Decimal(3_000), "BNBUSDT": Decimal(900)}
OTHERS = tuple(Symbol(f"X{letter}", "USDT") for letter in "ABCDEFGHIJKLMNOPQ")


@dataclass
class Trial(VenueTrial):
    """A session at Binance; `server` is the venue."""

    venue = "binance"
    quote = "USDT"
    start = START
    bars = "stream kline"
    harshest = Fault.BANNED
    sends = "POST /api/v3/order"
    lists = "GET /api/v3/openOrders"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        symbols = (*ordinary_symbols(), *self._others())
        async with BinanceServer(symbols, faults=self.faults, clock=self._milliseconds) as self.server:
            self.server.account.fund(**{asset: str(amount) for asset, amount in FUNDED.items()})
            if not self.calm:
                self.server.account.order_limit.in_ten_seconds = 1_000_000
                self.server.venue.weight.limit = 10_000_000
            yield

    def settings(self) -> Mapping[str, str]:
        return {
            "DRY_RUN": "false",
            "BINANCE_TESTNET_API_KEY": KEY,
            "BINANCE_TESTNET_SECRET_KEY": SECRET,
            "BINANCE_BASE_URL": self.server.url,
            "BINANCE_WS_URL": self.server.ws_url,
            "BINANCE_WS_API_URL": self.server.ws_url,
        }

    def first_prices(self) -> Mapping[str, Decimal]:
        return {**FIRST, **{symbol.name: Decimal(100) for symbol in self._others()}}

    def tick(self, symbol: str) -> Decimal:
        return self.server.venue.symbols[symbol].tick

    def trades_at(self, symbol: str, opened: datetime) -> bool:
        return True

    def is_followed(self) -> bool:
        return any(listener.streams for listener in self.server.publishing.listeners)

    def cut_streams(self) -> None:
        self.server.cut_streams()

    @property
    def market(self) -> Market:
        return self.server.market

    def books(self) -> VenueBooks:
        books, symbols = self.server.account.exchange.books, self.server.venue.symbols
        names = {order.id: order.wanted.client_id for order in books.orders.values()}
        return VenueBooks(
            [
                Placed(names[each.id], each.wanted.side.lower(), each.wanted.qty, each.open)
                for each in books.orders.values()
            ],
            [
                Traded(
                    order_of_leg(names[each.order_id]),
                    str(each.id),
                    each.qty,
                    each.price,
                    each.commission,
                    each.commission_asset,
                )
                for each in books.trades
            ],
            books.ledger.total,
            FUNDED,
            lambda symbol: (symbols[symbol].base, symbols[symbol].quote),
        )

    def _others(self) -> tuple[Symbol, ...]:
        return OTHERS[: self.symbols - len(FIRST)]

    def _milliseconds(self) -> int:
        return int(self.venue_now().timestamp() * 1000)
