"""EMA 12/26 against a loop of a few lines that shares no code with the product."""

import csv
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.runner.core.plan import plan
from services.runner.feeds.csv_file import load_csv
from services.runner.shadow import backtest_beside
from shared.schemas.envelope import Event
from shared.schemas.orders import OrderFilled
from tests.rehearsal import SESSION, candle, feed_of, rehearse, session

REAL_CANDLES = sorted(Path(__file__).parents[2].parent.glob("shared/data/*-[15][md].csv"))
FEE = 0.001


def independent_loop(opens: list[float], closes: list[float]) -> tuple[list[tuple[int, float]], float]:
    """Trades as (bar, price) and the last equity: 95 % of the equity at the deciding close, filled at the next open."""
    cash, held, wanted, trades = 10_000.0, 0.0, 0.0, []
    fast = slow = closes[0]
    was_above = False
    for bar, (price, close) in enumerate(zip(opens, closes, strict=True)):
        if wanted > 0 and wanted * price * (1 + FEE) <= cash:
            cash, held = cash - wanted * price * (1 + FEE), wanted
            trades.append((bar, price))
        elif wanted < 0:
            cash, held = cash + held * price * (1 - FEE), 0.0
            trades.append((bar, price))
        wanted = 0.0
        fast += (close - fast) * 2 / 13
        slow += (close - slow) * 2 / 27
        above = fast > slow
        if bar >= 25 and above and not was_above and not held:
            wanted = 0.95 * cash / close
        elif bar >= 25 and not above and was_above and held:
            wanted = -held
        was_above = above
    return trades, cash + held * closes[-1]


def compare(path: Path) -> None:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected, equity = independent_loop([float(r["open"]) for r in rows], [float(r["close"]) for r in rows])
    feed = load_csv([path], None)
    symbol, times = feed.description.symbols[0], [r["timestamp"] for r in rows]
    config = session(
        symbols=(symbol,),
        timeframe=feed.description.timeframe,
        strategies=[{"name": "ema_crossover"}],
        instrument={"tick_size": "0", "lot_step": "0.00000000000001"},
        paper={"maker_fee": "0.001", "taker_fee": "0.001"},
    )
    fills: list[OrderFilled] = []

    def keep_fills(fact: Event) -> None:
        if isinstance(fact, OrderFilled):
            fills.append(fact)

    final = backtest_beside(plan(SESSION, config), feed, keep_fills)
    opened_at = {candle.close_time: candle.open_time for candles in feed.slices() for candle in candles}
    got = [(opened_at[fill.market_time], float(fill.order.price)) for fill in fills]
    assert got == [(datetime.fromisoformat(times[bar]), price) for bar, price in expected]
    assert float(final.portfolio.equity) == pytest.approx(equity, rel=1e-8)
    assert len(got) > 10


@pytest.mark.parametrize("path", REAL_CANDLES, ids=lambda path: path.name)
def test_ema_crossover_agrees_with_an_independent_loop_on_real_candles(path: Path) -> None:
    compare(path)


def test_ema_crossover_agrees_with_an_independent_loop_on_a_random_walk(tmp_path: Path) -> None:
    walk, price, at = random.Random(11), 100.0, datetime(2026, 1, 5, tzinfo=UTC)
    path = tmp_path / "WALK-1m.csv"
    with path.open("w") as file:
        file.write("timestamp,open,high,low,close,volume\n")
        for _ in range(3000):
            close = round(price * (1 + walk.gauss(0, 0.002)), 2)
            file.write(f"{at:%Y-%m-%dT%H:%M:%SZ},{price},{max(price, close)},{min(price, close)},{close},10\n")
            price, at = close, at + timedelta(minutes=1)
    compare(path)


def test_an_order_that_the_cash_cannot_pay_at_the_open_is_not_filled() -> None:
    jump = [candle(0, "100"), candle(1, "100"), candle(2, "101"), candle(3, "150", open="150")]
    result = rehearse(session(), feed_of(jump))
    assert result.told(OrderFilled) == []
    assert result.state.portfolio.cash == Decimal(10_000)
