"""Rehearses a session on candles made for the purpose, through the backtest: the same cores, no bus."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from services.runner.core.plan import plan
from services.runner.core.state import State
from services.runner.feeds.port import FeedDescription, Slice
from services.runner.feeds.tape import Tape, tape_of
from services.runner.shadow import backtest_beside
from shared.schemas.envelope import Event
from shared.schemas.market import Candle, timeframe_of
from shared.schemas.session import SessionConfig

SESSION = "6f1c2f36-5a5e-5b6e-9d3c-0123456789ab"
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
NO_LIMITS = dict.fromkeys(
    (
        "max_risk_per_trade",
        "max_position_size",
        "daily_loss_limit",
        "max_open_exposure",
        "max_drawdown_limit",
        "max_slippage",
    ),
    "off",
)
E = TypeVar("E", bound=Event)


def candle(number: int, close: str, *, open: str | None = None, symbol: str = "BTCUSDT", **given: Any) -> Candle:
    """The `number`-th minute's candle; without more words it opens and stays at its close."""
    start = given.pop("start", MONDAY) + number * timedelta(minutes=1)
    opened, closed = Decimal(open or close), Decimal(close)
    return Candle(
        symbol=symbol,
        open_time=start,
        close_time=start + timedelta(minutes=1),
        open=opened,
        high=Decimal(given.get("high", max(opened, closed))),
        low=Decimal(given.get("low", min(opened, closed))),
        close=closed,
        volume=Decimal(given.get("volume", "1000")),
    )


def candles_at(prices: Iterable[str], **given: Any) -> list[Candle]:
    """One candle a minute, each opening where the one before closed."""
    made: list[Candle] = []
    for number, price in enumerate(prices):
        made.append(candle(number, price, open=str(made[-1].close) if made else price, **given))
    return made


@dataclass(frozen=True)
class ListedFeed:
    """A feed of the slices it is given."""

    listed: Sequence[Slice]
    timeframe: str = "1m"

    @property
    def description(self) -> FeedDescription:
        symbols = tuple(dict.fromkeys(candle.symbol for candles in self.listed for candle in candles))
        return FeedDescription("rehearsal", symbols, self.timeframe, len(self.listed), ())

    def slices(self) -> Iterator[Slice]:
        return iter(self.listed)

    def tape(self) -> Tape | None:
        return tape_of(self.listed)


def feed_of(*by_symbol: Sequence[Candle], timeframe: str = "1m") -> ListedFeed:
    """A feed of one or more symbols whose candles stand side by side."""
    assert timeframe_of(timeframe)
    return ListedFeed(list(zip(*by_symbol, strict=True)), timeframe)


def session(**given: Any) -> SessionConfig:
    """A session on BTCUSDT with fine lots, no costs and no limits but those given."""
    settings = {
        "name": "rehearsal",
        "symbols": ("BTCUSDT",),
        "timeframe": "1m",
        "initial_capital": 10_000,
        "on_stop": "keep",
        "feed": {"kind": "csv", "files": ["rehearsal"]},
        "strategies": [{"name": "ema_crossover", "params": {"fast": 1, "slow": 2}}],
        "instrument": {"tick_size": "0", "lot_step": "0.00000001"},
        "paper": {"maker_fee": 0, "taker_fee": 0},
        **given,
        "risk": {**NO_LIMITS, **given.get("risk", {})},
    }
    return SessionConfig.model_validate(settings)


@dataclass(frozen=True)
class Rehearsed:
    """What a session told, in stream order, and where it ended."""

    events: Sequence[Event]
    state: State

    def told(self, kind: type[E]) -> list[E]:
        """The facts of one type, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def names(self) -> list[str]:
        """The types of all facts, in order."""
        return [event.type for event in self.events]


def rehearse(config: SessionConfig, feed: ListedFeed) -> Rehearsed:
    """Trade `feed` as `config` says."""
    events: list[Event] = []
    state = backtest_beside(plan(SESSION, config), feed, events.append)
    return Rehearsed(events, state)
