"""A trial at the Binance test server: a market that never rests, orders in every minute, and trouble as planned."""

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from string import Template

from shared.runtime import clock
from tests.trials.books import differences
from tests.trials.market_clock import MarketClock
from tests.trials.stack import TrialStack
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.server import BinanceServer, ordinary_symbols
from tests.venues.binance.symbols import Symbol
from tests.venues.faults import Faults
from tests.venues.market import MINUTE, Bar, Candle

START = datetime(2026, 1, 5, tzinfo=UTC)
FUNDED = {"USDT": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(10), "BNB": Decimal(0)}
FIRST = {"BTCUSDT": Decimal(90_000), "ETHUSDT": Decimal(3_000), "BNBUSDT": Decimal(900)}
OTHERS = tuple(Symbol(f"X{letter}", "USDT") for letter in "ABCDEFGHIJKLMNOP")
SESSION = """
name = "trial"
venue = "binance"
symbols = $symbols
timeframe = "1m"
initial_capital = 50000
feed = "binance"
warmup_bars = 20
[[strategies]]
name = "ema_crossover"
params = $params
[sizing]
fraction = $fraction
$stop
[orders]
stop = "stop_limit"
[risk]
$risk
"""
RISK: Mapping[str, object] = {
    "max_risk_per_trade": "off",
    "daily_loss_limit": 0.9,
    "max_drawdown_limit": 0.9,
    "max_slippage": "off",
    "max_orders_per_minute": "off",
    "max_api_errors": "off",
    "max_data_age": "off",
    "max_unknown_age": "off",
    "approval_ttl": "2m",
    "kill_patience": "1s",
}
STUCK_SECONDS = 60.0


class StuckError(AssertionError):
    """A trial makes no progress any more."""


@dataclass
class Trial:
    """One session of `minutes` on so many `symbols`.

    `trouble` is asked before each minute what to do to the stack and the venue. `patience` is how many seconds a
    minute's orders may take before the market moves on. A `calm` session trades as people do, at the venue's own
    limits; the others trade at every turn. Without `stops` no position is protected. `risk` are further
    limits; the venue's clock is `venue_ahead`. With `profits`, stops come with a take-profit, as one list each.
    """

    folder: Path
    minutes: int
    seed: int = 1
    symbols: int = 3
    patience: float = 2.0
    trouble: Callable[["Trial", int], Awaitable[None]] | None = None
    faults: Faults = field(default_factory=Faults)
    calm: bool = False
    stops: bool = True
    risk: Mapping[str, object] = field(default_factory=dict)
    venue_ahead: timedelta = timedelta()
    profits: bool = False

    async def run(self) -> None:
        """Trade the session to its end."""
        self._random = random.Random(self.seed)
        others = OTHERS[: self.symbols - len(FIRST)]
        self._prices = {**FIRST, **{symbol.name: Decimal(100) for symbol in others}}
        self.market_clock = MarketClock.made(self.folder / "clock", START)
        session = self.folder / "trial.toml"
        session.write_text(
            Template(SESSION).substitute(
                symbols=json.dumps(list(self._prices)),
                fraction=0.3 / self.symbols,
                stop=("stop_distance = 0.004\n" if self.stops else "")
                + ("profit_distance = 0.004" if self.profits else ""),
                params="{ fast = 12, slow = 26 }" if self.calm else "{ fast = 1, slow = 3 }",
                risk="\n".join(f"{name} = {json.dumps(value)}" for name, value in {**RISK, **self.risk}.items()),
            )
        )
        symbols = (*ordinary_symbols(), *others)
        async with BinanceServer(symbols, faults=self.faults, clock=self._milliseconds) as self.server:
            self.server.account.fund(**{asset: str(amount) for asset, amount in FUNDED.items()})
            if not self.calm:
                self.server.account.order_limit.in_ten_seconds = 1_000_000
                self.server.venue.weight.limit = 10_000_000
            self._warm_up()
            settings = {
                "DRY_RUN": "false",
                "BINANCE_TESTNET_API_KEY": KEY,
                "BINANCE_TESTNET_SECRET_KEY": SECRET,
                "BINANCE_BASE_URL": self.server.url,
                "BINANCE_WS_URL": self.server.ws_url,
                "BINANCE_WS_API_URL": self.server.ws_url,
            }
            async with TrialStack(self.folder, self.folder / "clock", session, settings) as self.stack:
                await self.until(self._is_followed)
                for minute in range(self.minutes):
                    if self.trouble:
                        await self.trouble(self, minute)
                    await self.play_minute()
                await self._end()
                self.differences = differences(
                    self.stack.record, self.server.account.exchange.books, self.server.venue.symbols, FUNDED
                )

    async def _end(self) -> None:
        """Ask the session to end, and go on until it has; a runner that was still starting is asked again."""
        self.faults.clear()
        began, asked = clock.monotonic(), False
        while self.stack.record.ended is None:
            if self.stack.runner_status is not None:
                self.stack.start_runner()
                asked = False
            if not asked and self._is_followed():
                self.stack.stop_runner()
                asked = True
            await self.play_minute()
            if clock.monotonic() - began > STUCK_SECONDS:
                raise StuckError(f"the session does not end: {self.stack.record.stages}")
        await self.until(lambda: self.stack.runner_status is not None)

    def _milliseconds(self) -> int:
        return int((self.market_clock.now() + self.venue_ahead).timestamp() * 1000)

    def _is_followed(self) -> bool:
        return any(listener.streams for listener in self.server.publishing.listeners)

    def _warm_up(self) -> None:
        for number in range(30, 0, -1):
            self.server.market.know(self._candles(START - number * MINUTE))

    def _candles(self, opened: datetime) -> list[Candle]:
        return [Candle(symbol, self._bar(symbol, opened)) for symbol in self._prices]

    def _bar(self, symbol: str, opened: datetime) -> Bar:
        tick = self.server.venue.symbols[symbol].tick
        first = self._prices[symbol]
        last = self._moved(first, 0.003, tick)
        high, low = max(first, last) + 5 * tick, min(first, last) - 5 * tick
        self._prices[symbol] = last
        return Bar(opened, first, high, low, last, Decimal(100))

    def _moved(self, price: Decimal, volatility: float, tick: Decimal) -> Decimal:
        return (price * (1 + Decimal(self._random.gauss(0, volatility))) / tick).to_integral_value() * tick

    async def play_minute(self) -> None:
        """Play the next minute, then wait until it has been told and its orders have been answered."""
        opened = self.server.market.now or START
        candles = self._candles(opened)
        for corner in range(4):
            for candle in candles:
                await self.server.market.step(candle, corner)
        self.market_clock.set(opened + MINUTE)
        for candle in candles:
            await self.server.market.close(candle)
        self.server.market.now = opened + MINUTE
        await self.until(lambda: self._is_done(opened + MINUTE), self.patience)

    def _is_done(self, minute: datetime) -> bool:
        record = self.stack.record
        return record.marked is not None and record.marked >= minute and not record.awaits

    async def until(self, holds: Callable[[], bool], seconds: float = STUCK_SECONDS) -> None:
        """Wait for what `holds`; StuckError after a minute, no error where fewer `seconds` were given."""
        began = clock.monotonic()
        while not holds():
            left = seconds - (clock.monotonic() - began)
            if left <= 0:
                if seconds < STUCK_SECONDS:
                    return
                raise StuckError(f"nothing came of it: {self.stack.said('runner')[-2000:]}")
            await self.stack.news(min(left, 0.2))


def in_short(trial: Trial) -> str:
    """A line about a trial that has run."""
    record = trial.stack.record
    return f"{len(record.tickets)} orders, {len(record.fills)} fills, {dict(sorted(record.kinds.items()))}"
