"""The simulated market: the same for a seed everywhere, sound, and lively enough to trade."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise
from statistics import correlation
from typing import Any

import pytest

from services.runner.feeds.port import FeedError
from services.runner.feeds.simulated import SimulatedMarket, simulate
from services.runner.strategies.ema_crossover import Params, initial, step
from services.runner.strategies.port import Bar
from shared.schemas.market import Candle
from shared.schemas.session import SessionConfig

START = datetime(2026, 1, 5, tzinfo=UTC)


def market(symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"), *, given: Any = None, **feed: Any) -> SimulatedMarket:
    settings = {
        "name": "simulated",
        "symbols": symbols,
        "timeframe": "1m",
        "initial_capital": 10_000,
        "feed": {"kind": "simulated", "start": START, "bars": 2000, **feed},
        "strategies": [{"name": "ema_crossover"}],
        **(given or {}),
    }
    return simulate(SessionConfig.model_validate(settings))


def of(feed: SimulatedMarket, symbol: str) -> list[Candle]:
    return [candle for candles in feed.slices() for candle in candles if candle.symbol == symbol]


def changes(candles: list[Candle]) -> list[float]:
    return [float(after.close / before.close) - 1 for before, after in pairwise(candles)]


def test_a_seed_always_stands_for_the_same_candles() -> None:
    first = next(market(("BTCUSDT",), seed=7, start_price=60_000).slices())
    assert first == (
        Candle(
            symbol="BTCUSDT",
            open_time=START,
            close_time=START + timedelta(minutes=1),
            open=Decimal("59999.75"),
            high=Decimal("60021.07"),
            low=Decimal("59919.55"),
            close=Decimal("59938.63"),
            volume=Decimal("7.19557"),
        ),
    )


def test_asked_again_the_market_yields_the_same_slices() -> None:
    feed = market(bars=300)
    assert list(feed.slices()) == list(feed.slices()) == list(market(bars=300).slices())


def test_another_seed_is_another_market() -> None:
    assert of(market(seed=1, bars=10), "BTCUSDT") != of(market(seed=2, bars=10), "BTCUSDT")


def test_a_symbols_candles_do_not_depend_on_the_others() -> None:
    assert of(market(("ETHUSDT",), bars=200), "ETHUSDT") == of(market(bars=200), "ETHUSDT")


def test_bars_only_say_where_the_market_ends() -> None:
    assert list(market(bars=50).slices()) == list(islice(market(bars=None).slices(), 50))
    assert market(bars=None).description.slices is None


def test_slices_hold_all_symbols_in_order_and_follow_each_other() -> None:
    slices = list(market(bars=100).slices())
    assert {tuple(candle.symbol for candle in candles) for candles in slices} == {("BTCUSDT", "ETHUSDT")}
    assert [candles[0].open_time for candles in slices] == [START + timedelta(minutes=bar) for bar in range(100)]
    assert all(candle.close_time - candle.open_time == timedelta(minutes=1) for candle in slices[0])


def test_prices_stand_on_the_tick_and_volumes_on_the_lot() -> None:
    rules = {"instruments": {"BTCUSDT": {"tick_size": "0.05", "lot_step": "0.001"}}}
    for candle in of(market(given=rules, start_price=60), "BTCUSDT"):
        assert all(price % Decimal("0.05") == 0 for price in (candle.open, candle.high, candle.low, candle.close))
        assert candle.volume % Decimal("0.001") == 0


def test_symbols_move_together_but_not_alike() -> None:
    feed = market(("BTCUSDT", "ETHUSDT", "SOLUSDT"), start_prices={"BTCUSDT": 60_000, "ETHUSDT": 3_000})
    btc, eth, sol = (changes(of(feed, symbol)) for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"))
    assert all(0.5 < together < 0.95 for together in (correlation(btc, eth), correlation(btc, sol)))


def test_a_bar_moves_about_as_much_as_the_volatility_says() -> None:
    moves = changes(of(market(start_price=60_000, volatility="0.004", bars=3000), "BTCUSDT"))
    assert 0.5 < (sum(move * move for move in moves) / len(moves)) ** 0.5 / 0.004 < 2


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_market_moves_enough_for_an_ema_crossover_to_trade_regularly(seed: int) -> None:
    params, told = Params(), []
    state = initial(params)
    for number, candle in enumerate(of(market(("BTCUSDT",), seed=seed, start_price=60_000), "BTCUSDT")):
        state, stance = step(params, state, Bar(candle.open_time, 0, 0, 0, float(candle.close), 0))
        told += [number] if stance else []
    assert len(told) > 20
    assert max(after - before for before, after in pairwise(told)) < 500


def test_the_market_finds_back_from_far_away() -> None:
    closes = [float(candle.close) for candle in of(market(("BTCUSDT",), bars=20_000, start_price=1000), "BTCUSDT")]
    assert 200 < min(closes) < 1000 < max(closes) < 5000


def test_refuses_a_session_with_another_feed() -> None:
    config = SessionConfig.model_validate(
        {
            "name": "recorded",
            "symbols": ["BTCUSDT"],
            "timeframe": "1m",
            "initial_capital": 1,
            "feed": {"kind": "csv", "files": ["x.csv"]},
            "strategies": [{"name": "ema_crossover"}],
        }
    )
    with pytest.raises(FeedError, match=r"feed\.kind is 'csv'"):
        simulate(config)
