"""Passing over quiet stretches changes nothing: the same facts, and the same runner, guard and venue at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.risk.core.guard import Guard
from services.runner.backtest import begun, run
from services.runner.core.plan import plan
from services.runner.core.state import State
from services.runner.course import course, opening
from services.runner.skimming.life import Life
from services.runner.skimming.skimmer import Skimmer
from services.runner.skimming.telling import told_of
from shared.schemas.envelope import Event
from shared.schemas.market import Candle, CandleClosed, EquityMarked
from shared.schemas.session import SessionConfig
from shared.venues.paper import Book
from tests.rehearsal import MONDAY, SESSION, ListedFeed, feed_of, session

BARS = 150
QUIET = (CandleClosed, EquityMarked)
crossings = st.tuples(st.integers(1, 4), st.integers(1, 6)).map(
    lambda lengths: {"name": "ema_crossover", "params": {"fast": lengths[0], "slow": sum(lengths)}}
)
reversions = st.just({"name": "rsi_reversion", "params": {"length": 3, "oversold": 40, "overbought": 60}})
bands = st.just({"name": "bollinger", "params": {"length": 5, "deviations": 1}})
shares = st.sampled_from(["off", "0.005", "0.02", "0.1"])


@dataclass(frozen=True)
class Outcome:
    """Where a session ended, and the facts on the way without candles and marks."""

    facts: Sequence[Event]
    state: State
    guard: Guard
    book: Book
    lives: int = 0
    """How many orders lived in one go."""


def ordinary(config: SessionConfig, feed: ListedFeed) -> Outcome:
    told: list[Event] = []
    prepared = plan(SESSION, config)
    start, slices = opening(config, feed.slices())
    conductor, market = begun(prepared, feed.description, start, told.append, None)
    state = run(conductor.conduct(course(config, slices, start)), market)
    return Outcome([fact for fact in told if not isinstance(fact, QUIET)], state, market.guard, market.book)


class Listener:
    """An audience that wants every fact."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.lives = 0

    def watch(self, fact: Event) -> None:
        self.told.append(fact)

    def live(self, life: Life, decided_at: datetime, filled_at: datetime) -> None:
        self.lives += 1
        self.told += told_of(life, decided_at, filled_at)

    def mark(self, at: datetime, equity: Decimal) -> None:
        """A point of the curve."""


def skimmed(config: SessionConfig, feed: ListedFeed) -> Outcome:
    listener, prepared, tape = Listener(), plan(SESSION, config), feed.tape()
    assert tape is not None
    start, _ = opening(config, feed.slices())
    conductor, market = begun(prepared, feed.description, start, listener.watch, None)
    state = run(conductor.conduct(Skimmer(prepared, conductor, market, tape, start, listener).steps()), market)
    facts = [fact for fact in listener.told if not isinstance(fact, QUIET)]
    return Outcome(facts, state, market.guard, market.book, listener.lives)


def require_same(config: SessionConfig, feed: ListedFeed) -> Outcome:
    slow, fast = ordinary(config, feed), skimmed(config, feed)
    for expected, got in zip(slow.facts, fast.facts, strict=False):
        assert got == expected
    assert len(fast.facts) == len(slow.facts)
    assert fast.state._asdict() == slow.state._asdict()
    assert fast.guard._asdict() == slow.guard._asdict()
    assert fast.book == slow.book
    return slow


@st.composite
def walks(draw: st.DrawFn, symbol: str, start: datetime) -> list[Candle]:
    """A random walk in cents, now calm, now wild, each bar opening near the close before it."""
    chance = Random(draw(st.integers(0, 2**32)))
    width, level, made = draw(st.sampled_from([3, 30, 150])), 10_000, []
    for number in range(BARS):
        jump = width if chance.random() < 0.9 else 4 * width
        opened, closed = (max(level + chance.randint(-jump, jump), 100) for _ in range(2))
        high, low = (max(opened, closed) + chance.randint(0, width), min(opened, closed) - chance.randint(0, width))
        first, top, bottom, last = (Decimal(price) / 100 for price in (opened, high, max(low, 50), closed))
        at, volume = start + number * timedelta(minutes=1), Decimal(chance.randint(0, 400))
        made.append(Candle(symbol, at, at + timedelta(minutes=1), first, top, bottom, last, volume))
        level = closed
    return made


@st.composite
def sessions(draw: st.DrawFn, symbols: tuple[str, ...], start: datetime) -> SessionConfig:
    strategies = draw(st.lists(crossings | reversions | bands, min_size=1, max_size=3))
    for number, strategy in enumerate(strategies):
        strategies[number] = {**strategy, "label": f"s{number}"}
    sizing: dict[str, Any] = {"fraction": draw(st.sampled_from(["0.3", "0.95"]))}
    has_plain_orders = draw(st.booleans())
    if not has_plain_orders and draw(st.booleans()):
        method = draw(st.sampled_from(["fraction", "risk"]))
        distance = draw(st.sampled_from(["0.003", "0.02"]))
        sizing |= {"method": method, "stop_distance": distance, "risk_per_trade": "0.005"}
        sizing["profit_distance"] = draw(st.none() | st.sampled_from(["0.002", "0.02"]))
    schedule: dict[str, Any] = {}
    if draw(st.booleans()):
        begins, ends = start + timedelta(minutes=draw(st.integers(0, 50))), start + timedelta(minutes=100)
        schedule = {"start": f"{begins:%H:%M}", "stop": f"{ends:%H:%M}"}
    if draw(st.booleans()):
        schedule["max_duration"] = f"{draw(st.integers(30, 140))}m"
    return session(
        symbols=symbols,
        strategies=strategies,
        combine=draw(st.sampled_from(["side_by_side", "all", "any"])),
        warmup_bars=draw(st.integers(0, 7)),
        on_stop=draw(st.sampled_from(["keep", "flatten"])),
        sizing=sizing,
        schedule=schedule,
        orders={
            "entry": "market" if has_plain_orders else draw(st.sampled_from(["market", "limit"])),
            "limit_offset": draw(st.sampled_from(["0", "0.001", "0.005"])),
            "cancel_after_bars": draw(st.integers(1, 4)),
            "stop": draw(st.sampled_from(["stop", "stop_limit"])),
        },
        instrument={
            "tick_size": "0.01",
            "lot_step": draw(st.sampled_from(["0.00001", "1"])),
            "has_lists": draw(st.booleans()),
        },
        paper={
            "maker_fee": "0.0001",
            "taker_fee": draw(st.sampled_from(["0", "0.001"])),
            "slippage": draw(st.sampled_from(["0", "0.0002"])),
            "slippage_jitter": draw(st.sampled_from(["0", "0.0002"])),
            "latency": "0s" if has_plain_orders else draw(st.sampled_from(["0s", "20s", "90s"])),
            "participation": None if has_plain_orders else draw(st.none() | st.sampled_from(["0.05", "0.5"])),
        },
        risk={
            "daily_loss_limit": draw(shares),
            "max_drawdown_limit": draw(shares),
            "max_position_size": draw(st.sampled_from(["off", "0.5"])),
            "max_slippage": draw(st.sampled_from(["off", "0.0001"])),
            "max_orders_per_minute": draw(st.sampled_from([1, 60])),
            "max_open_orders": draw(st.sampled_from([1, 20])),
        },
    )


# Twenty minutes before a Tuesday, and in the midst of a Monday.
starts = st.sampled_from([MONDAY + timedelta(hours=23, minutes=40), MONDAY + timedelta(hours=9)])


@given(st.data())
def test_one_symbol_skimmed_comes_to_the_same_end_by_the_same_facts(data: st.DataObject) -> None:
    start = data.draw(starts)
    config = data.draw(sessions(("BTCUSDT",), start))
    require_same(config, feed_of(data.draw(walks("BTCUSDT", start))))


@given(st.data())
def test_several_symbols_skimmed_come_to_the_same_end_by_the_same_facts(data: st.DataObject) -> None:
    start, symbols = data.draw(starts), ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    config = data.draw(sessions(symbols, start))
    require_same(config, feed_of(*(data.draw(walks(symbol, start)) for symbol in symbols)))


def test_orders_decided_in_slice_after_slice_are_lived_through_one_after_the_other() -> None:
    config = session(
        strategies=[{"name": "ema_crossover", "params": {"fast": 1, "slow": 2}}],
        risk={"max_orders_per_minute": 60, "daily_loss_limit": "off", "max_drawdown_limit": "off"},
    )
    up_and_down = []
    for number in range(BARS):
        at, close = MONDAY + timedelta(hours=9, minutes=number), Decimal(100 + number % 2)
        last = MONDAY + timedelta(hours=9, minutes=number + 1)
        up_and_down.append(Candle("BTCUSDT", at, last, Decimal(100), Decimal(102), Decimal(99), close, Decimal(50)))
    feed = feed_of(up_and_down)
    assert require_same(config, feed).state.order_count > BARS * 0.9
    assert skimmed(config, feed).lives > BARS * 0.9
