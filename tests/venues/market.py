"""The scripted market that the fake venues share: a test plays candles, the market tells prices and bars.

Its time comes from the candles and never from the wall clock.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

MINUTE = timedelta(minutes=1)
CORNERS = 4


class Bar(NamedTuple):
    """One candle. Prices are in the quote currency, `volume` is in the base currency; `opened` is aware, in UTC.

    The bar lasts up to `opened + length`, that moment excluded.
    """

    opened: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int = CORNERS
    length: timedelta = MINUTE

    @property
    def ends(self) -> datetime:
        """The first moment that no longer belongs to it."""
        return self.opened + self.length

    @property
    def path(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """The way of the price: the move against the bar's direction comes first."""
        if self.close >= self.open:
            return self.open, self.low, self.high, self.close
        return self.open, self.high, self.low, self.close


class Candle(NamedTuple):
    """A bar of a symbol, to be played."""

    symbol: str
    bar: Bar


class Price(NamedTuple):
    """A trade in the market."""

    symbol: str
    price: Decimal
    qty: Decimal
    at: datetime


OnPrice = Callable[[Price], Awaitable[None]]
OnBar = Callable[[str, Bar, bool], Awaitable[None]]
"""Is told the symbol, its bar so far, and whether the bar is closed."""


def candle(symbol: str, opened: datetime, *prices: str, volume: str = "4") -> Candle:
    """A minute's candle from texts: open, high, low, close; or one price for all four."""
    first, *others = (Decimal(price) for price in prices)
    high, low, close = others or (first, first, first)
    return Candle(symbol, Bar(opened, first, high, low, close, Decimal(volume)))


class Market:
    """For each symbol the last price, the bar so far (`current`) and the closed bars (`history`).

    `now` is the time of the last thing that happened, None before the first.
    """

    def __init__(self) -> None:
        self.now: datetime | None = None
        self.last: dict[str, Decimal] = {}
        self.current: dict[str, Bar] = {}
        self.history: dict[str, list[Bar]] = {}
        self._price_subscribers: list[OnPrice] = []
        self._bar_subscribers: list[OnBar] = []

    def subscribe(self, on_price: OnPrice | None = None, on_bar: OnBar | None = None) -> None:
        """Have every price and every change of a bar told from now on, prices before bars."""
        if on_price is not None:
            self._price_subscribers.append(on_price)
        if on_bar is not None:
            self._bar_subscribers.append(on_bar)

    def know(self, candles: Iterable[Candle]) -> None:
        """Take candles as history without telling anyone; the last close becomes the last price."""
        for symbol, bar in candles:
            self._close(symbol, bar)

    def bars(self, symbol: str) -> list[Bar]:
        """The closed bars and then the one so far, oldest first."""
        current = self.current.get(symbol)
        return self.history.get(symbol, []) + ([current] if current else [])

    async def play(self, candle: Candle) -> None:
        """Walk through the candle: at each of the four corners a trade with a quarter of the volume; then close it."""
        for corner in range(CORNERS):
            await self.step(candle, corner)
        await self.close(candle)

    async def step(self, candle: Candle, corner: int) -> None:
        """The trade at one corner of the candle (0 to 3), a third of the bar apart, the last within the bar."""
        symbol, bar = candle
        walked = bar.path[: corner + 1]
        at = min(bar.opened + bar.length * corner / (CORNERS - 1), bar.ends - timedelta(milliseconds=1))
        qty = bar.volume / CORNERS
        so_far = Bar(
            bar.opened, bar.open, max(walked), min(walked), walked[-1], qty * (corner + 1), corner + 1, bar.length
        )
        self.now, self.last[symbol], self.current[symbol] = at, walked[-1], so_far
        for on_price in self._price_subscribers:
            await on_price(Price(symbol, walked[-1], qty, at))
        for on_bar in self._bar_subscribers:
            await on_bar(symbol, so_far, False)

    async def close(self, candle: Candle) -> None:
        """Close the candle's bar."""
        symbol, bar = candle
        self._close(symbol, bar)
        for on_bar in self._bar_subscribers:
            await on_bar(symbol, bar, True)

    def _close(self, symbol: str, bar: Bar) -> None:
        self.now, self.last[symbol] = bar.ends, bar.close
        self.current.pop(symbol, None)
        self.history.setdefault(symbol, []).append(bar)
