"""A seeded market: one hidden level with changing regimes, and symbols that follow it, each in its own way.

A candle depends on the seed, its symbol, its index and the session's settings for it, and on nothing else: neither on
other symbols nor on the machine. Prices come from sums, products and quotients of floats alone, which IEEE 754 fixes to
the last bit; the logarithms and cosines behind a normal distribution differ between systems.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from typing import NamedTuple

from services.runner.feeds.port import FeedDescription, FeedError, Slice
from services.runner.feeds.regimes import POINTS, Path, levels, moved, noise
from shared.schemas.market import Candle, timeframe_of
from shared.schemas.session import SessionConfig, SimulatedFeed

_SMALLEST_STEP = Decimal("0.00000001")
_QUIET_TURNOVER = 250_000.0
"""What a bar without movement trades, in quote currency."""
_OWN_NOISE = 0.5
_OWN_PULL = 0.002


class Listing(NamedTuple):
    """A symbol of the simulated market: `beta` is how strongly it follows the market's level."""

    symbol: str
    start_price: float
    tick: Decimal
    lot: Decimal
    beta: float


@dataclass(frozen=True, slots=True)
class SimulatedMarket:
    """The market that a session's seed stands for."""

    description: FeedDescription
    feed: SimulatedFeed
    listings: tuple[Listing, ...]
    step: timedelta

    def slices(self) -> Iterator[Slice]:
        """Every slice from the first, in market time; without end where the session sets none."""
        volatility = float(self.feed.volatility)
        market = levels(self.feed.seed, volatility, self.feed.regime_bars)
        tapes = [_Tape(listing, self.feed.seed, volatility) for listing in self.listings]
        time = self.feed.start
        for path in islice(market, self.feed.bars):
            close_time = time + self.step
            yield tuple(tape.candle(path, time, close_time) for tape in tapes)
            time = close_time

    def tape(self) -> None:
        """Nothing: the market goes on for as long as it is asked."""


def simulate(config: SessionConfig) -> SimulatedMarket:
    """The simulated market of a session; FeedError when the session's feed is of another kind."""
    feed = config.feed
    if not isinstance(feed, SimulatedFeed):
        raise FeedError(f"feed.kind is {feed.kind!r}; a simulated market needs 'simulated'")
    listings = tuple(_listing(config, feed, symbol) for symbol in config.symbols)
    source = f"simulated market, seed {feed.seed}"
    description = FeedDescription(source, config.symbols, config.timeframe, feed.bars, ())
    return SimulatedMarket(description, feed, listings, timeframe_of(config.timeframe))


def _listing(config: SessionConfig, feed: SimulatedFeed, symbol: str) -> Listing:
    rules = config.instrument_of(symbol)
    start_price = float(feed.start_prices.get(symbol, feed.start_price))
    beta = 0.6 + 0.4 * Random(f"{feed.seed}/{symbol}/beta").random()
    return Listing(symbol, start_price, rules.tick_size or _SMALLEST_STEP, rules.lot_step or _SMALLEST_STEP, beta)


class _Tape:
    """Prints one symbol's candles; it remembers how far the symbol has strayed from the market."""

    def __init__(self, listing: Listing, seed: int, volatility: float) -> None:
        self._listing = listing
        self._chance = Random(f"{seed}/{listing.symbol}/candles")
        self._volatility = volatility
        self._own = 1.0
        self._tick = float(listing.tick)
        self._lot = float(listing.lot)

    def candle(self, market: Path, open_time: datetime, close_time: datetime) -> Candle:
        listing = self._listing
        ticks = [self._ticks(level) for level in market]
        open_, high, low, close = (count * listing.tick for count in (ticks[0], max(ticks), min(ticks), ticks[-1]))
        volume = self._lots(ticks) * listing.lot
        return Candle(listing.symbol, open_time, close_time, open_, high, low, close, volume)

    def _ticks(self, level: float) -> int:
        """The symbol's price where the market's level is `level`, in whole ticks."""
        shock = _OWN_NOISE * self._volatility * noise(self._chance)
        self._own = moved(self._own, _OWN_PULL * (1.0 - self._own) / POINTS, shock)
        listing = self._listing
        price = listing.start_price * (1.0 + listing.beta * (level - 1.0)) * self._own
        return max(round(price / self._tick), 1)

    def _lots(self, ticks: list[int]) -> int:
        """The bar's volume in whole lots: wide bars trade more."""
        price = ticks[-1] * self._tick
        width = (max(ticks) - min(ticks)) / ticks[-1] / (self._volatility or 1.0)
        turnover = _QUIET_TURNOVER * (0.5 + self._chance.random()) * (1.0 + min(width, 10.0))
        return max(round(turnover / price / self._lot), 1)
