"""A trial at a venue's test server: a market that never rests, orders in every minute, and trouble as planned."""

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from string import Template
from typing import Any, ClassVar

from shared.runtime import clock
from tests.trials.books import VenueBooks, differences
from tests.trials.market_clock import MarketClock
from tests.trials.stack import TrialStack
from tests.venues.faults import Fault, Faults
from tests.venues.market import MINUTE, Bar, Candle, Market

SESSION = """
name = "trial"
venue = "$venue"
symbols = $symbols
timeframe = "1m"
quote = "$quote"
initial_capital = 50000
feed = "$venue"
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
CAN_NOT_BEGIN = 2


class StuckError(AssertionError):
    """A trial makes no progress any more."""


@dataclass
class VenueTrial(ABC):
    """One session of `minutes` on so many `symbols`; a subclass says at which venue.

    `trouble` is asked before each minute, with the trial, what to do to the stack and the venue. `patience` is how many
    seconds a minute's orders may take before the market moves on. A `calm` session trades as people do, at the venue's
    own limits; the others trade at every turn. Without `stops` no position is protected. `risk` are further limits; the
    venue's clock is `venue_ahead`. `before_the_end` is called once the session is over, with the bus still up. With
    `profits` each stop has a take-profit beside it.
    """

    venue: ClassVar[str]
    quote: ClassVar[str]
    start: ClassVar[datetime]
    bars: ClassVar[str]
    """What the venue's server calls the messages of closed bars."""
    harshest: ClassVar[Fault]
    """How the venue refuses whoever has asked far too much."""
    sends: ClassVar[str]
    """What the venue's server calls the placing of an order."""
    lists: ClassVar[str]
    """What it calls the list of open orders."""

    folder: Path
    minutes: int
    seed: int = 1
    symbols: int = 3
    patience: float = 2.0
    trouble: Callable[[Any, int], Awaitable[None]] | None = None
    faults: Faults = field(default_factory=Faults)
    calm: bool = False
    stops: bool = True
    risk: Mapping[str, object] = field(default_factory=dict)
    venue_ahead: timedelta = timedelta()
    before_the_end: Callable[[Any], Awaitable[None]] | None = None
    profits: bool = False

    @abstractmethod
    def serve(self) -> AbstractAsyncContextManager[Any]:
        """The venue's server on its own clock, with the money and the limits of the trial."""

    @abstractmethod
    def settings(self) -> Mapping[str, str]:
        """The settings that lead to the server."""

    @abstractmethod
    def first_prices(self) -> Mapping[str, Decimal]:
        """The symbols, and at what price each begins."""

    @abstractmethod
    def tick(self, symbol: str) -> Decimal:
        """A symbol's price step."""

    @abstractmethod
    def trades_at(self, symbol: str, opened: datetime) -> bool:
        """Whether the symbol has a bar that opens then."""

    @abstractmethod
    def is_followed(self) -> bool:
        """Whether somebody hears the market."""

    @abstractmethod
    def cut_streams(self) -> None:
        """Cut every connection of a stream."""

    @property
    @abstractmethod
    def market(self) -> Market:
        """The venue's market."""

    @abstractmethod
    def books(self) -> VenueBooks:
        """What the venue has on its books."""

    async def run(self) -> None:
        """Trade the session to its end."""
        self._random = random.Random(self.seed)
        self._prices = dict(self.first_prices())
        self.market_clock = MarketClock.made(self.folder / "clock", self.start)
        session = self.folder / "trial.toml"
        session.write_text(self._session())
        async with self.serve():
            self._warm_up()
            async with TrialStack(
                self.folder, self.folder / "clock", self.venue, session, self.settings()
            ) as self.stack:
                await self.until(self._is_begun)
                for minute in range(self.minutes):
                    if self.trouble:
                        await self.trouble(self, minute)
                    await self.play_minute()
                await self._end()
                if self.before_the_end:
                    await self.before_the_end(self)
                found, again = differences(self.stack.record, self.books()), await self.stack.replayed()
                self.differences: Sequence[str] = (*found, *again)

    def _session(self) -> str:
        return Template(SESSION).substitute(
            venue=self.venue,
            symbols=json.dumps(list(self._prices)),
            quote=self.quote,
            fraction=0.3 / self.symbols,
            stop=("stop_distance = 0.004\n" if self.stops else "")
            + ("profit_distance = 0.004" if self.profits else ""),
            params="{ fast = 12, slow = 26 }" if self.calm else "{ fast = 1, slow = 3 }",
            risk="\n".join(f"{name} = {json.dumps(value)}" for name, value in {**RISK, **self.risk}.items()),
        )

    def _is_begun(self) -> bool:
        self._supervise()
        return self.is_followed()

    def _supervise(self) -> None:
        """Start a runner again that could not begin, for a venue that did not answer is no reason to stay away."""
        status = self.stack.runner_status
        if status == CAN_NOT_BEGIN:
            self.stack.start_runner()
        elif status is not None and status > 0:
            raise StuckError(f"the runner ended with {status}: {self.stack.said('runner')[-2000:]}")

    async def _end(self) -> None:
        """Ask the session to end, and go on until it has; each runner that comes after one is asked, too."""
        self.faults.clear()
        began, asked = clock.monotonic(), 0
        while self.stack.record.ended is None:
            if self.stack.runner_status:  # one that has ended well is done, if its last word is yet to be read
                self.stack.start_runner()
            if self.stack.runner_pid != asked and self.is_followed():
                self.stack.stop_runner()
                asked = self.stack.runner_pid
            await self.play_minute()
            if clock.monotonic() - began > STUCK_SECONDS:
                raise StuckError(f"the session does not end: {self.stack.record.stages}")
        await self.until(lambda: self.stack.runner_status is not None)

    def venue_now(self) -> datetime:
        """What the venue's clock shows."""
        return self.market_clock.now() + self.venue_ahead

    def _warm_up(self) -> None:
        for number in range(30, 0, -1):
            self.market.know(self._candles(self.start - number * MINUTE))

    def _candles(self, opened: datetime) -> list[Candle]:
        return [Candle(symbol, self._bar(symbol, opened)) for symbol in self._prices if self.trades_at(symbol, opened)]

    def _bar(self, symbol: str, opened: datetime) -> Bar:
        tick = self.tick(symbol)
        first = self._prices[symbol]
        last = self._moved(first, 0.003, tick)
        high, low = max(first, last) + 5 * tick, min(first, last) - 5 * tick
        self._prices[symbol] = last
        return Bar(opened, first, high, low, last, Decimal(100))

    def _moved(self, price: Decimal, volatility: float, tick: Decimal) -> Decimal:
        return (price * (1 + Decimal(self._random.gauss(0, volatility))) / tick).to_integral_value() * tick

    async def play_minute(self) -> None:
        """Play the next minute, then wait until it has been told and its orders have been answered."""
        self._supervise()
        opened = self.market.now or self.start
        candles = self._candles(opened)
        for corner in range(4):
            for candle in candles:
                await self.market.step(candle, corner)
        self.market_clock.set(opened + MINUTE)
        for candle in candles:
            await self.market.close(candle)
        self.market.now = opened + MINUTE
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
