"""EMA crossover against a loop of a few lines, and the exact bars at which it may speak."""

import csv
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.runner.strategies.ema_crossover import Params, initial, step, warmup
from services.runner.strategies.port import Bar

REAL_CANDLES = sorted(Path(__file__).parents[2].parent.glob("shared/data/*-[15][md].csv"))
AT = datetime(2026, 1, 5, tzinfo=UTC)


def signals(closes: Sequence[float], params: Params | None = None) -> list[tuple[int, int]]:
    """The bars (counted from 1) at which the strategy changes its mind, and to which weight."""
    params = params or Params()
    state, said = initial(params), []
    for number, close in enumerate(closes, start=1):
        state, stance = step(params, state, Bar(AT, close, close, close, close, 1.0))
        if stance:
            said.append((number, int(stance.weight)))
    return said


def independent_signals(closes: Sequence[float]) -> list[tuple[int, int]]:
    fast = slow = closes[0]
    was, said = 0, []
    for number, close in enumerate(closes[1:], start=2):
        fast, slow = close * 2 / 13 + fast * 11 / 13, close * 2 / 27 + slow * 25 / 27
        side = (fast > slow) - (fast < slow)
        if number >= 26 and side != was and side:
            said.append((number, int(side > 0)))
        was = side
    return said


def random_walk(seed: int, length: int = 20_000) -> list[float]:
    chance, price, closes = random.Random(seed), 100.0, []
    for _ in range(length):
        price *= 1 + chance.gauss(0, 0.003)
        closes.append(round(price, 4))
    return closes


@pytest.mark.parametrize("path", REAL_CANDLES, ids=lambda path: path.name)
def test_agrees_with_an_independent_loop_on_real_candles(path: Path) -> None:
    with path.open(newline="") as file:
        closes = [float(row["close"]) for row in csv.DictReader(file)]
    assert signals(closes) == independent_signals(closes)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_an_independent_loop_on_random_walks(seed: int) -> None:
    closes = random_walk(seed)
    assert signals(closes) == independent_signals(closes)
    assert len(signals(closes)) > 100


def test_the_26th_bar_is_the_first_that_may_signal() -> None:
    assert signals([100.0] * 25 + [101.0]) == [(26, 1)]
    assert warmup(Params()) == 25


def test_a_cross_before_the_26th_bar_is_not_told_late() -> None:
    assert signals([100.0] * 24 + [101.0] * 10) == []


def test_goes_flat_when_the_averages_cross_down() -> None:
    assert signals([100.0] * 30 + [110.0] * 5 + [50.0]) == [(31, 1), (36, 0)]


def test_prices_that_stand_still_never_cross() -> None:
    assert signals([0.1] * 500) == []


def test_lengths_are_parameters() -> None:
    assert signals([1.0, 2.0, 1.0], Params(fast=1, slow=2)) == [(2, 1), (3, 0)]


def test_refuses_a_fast_average_that_is_not_faster() -> None:
    with pytest.raises(ValueError, match=r"fast \(26\) must be below slow \(26\)"):
        Params(fast=26)
