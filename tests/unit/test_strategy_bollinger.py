"""Bollinger bands against the standard library's statistics."""

import random
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from services.runner.strategies.bollinger import Params, initial, step, warmup
from services.runner.strategies.port import Bar

AT = datetime(2026, 1, 5, tzinfo=UTC)


def signals(closes: Sequence[float], params: Params) -> list[tuple[int, int]]:
    state, said = initial(params), []
    for number, close in enumerate(closes, start=1):
        state, stance = step(params, state, Bar(AT, close, close, close, close, 1.0))
        if stance:
            said.append((number, int(stance.weight)))
    return said


def independent_signals(closes: Sequence[float], length: int, deviations: float) -> list[tuple[int, int]]:
    said, is_long = [], False
    for end in range(length, len(closes) + 1):
        window, close = closes[end - length : end], closes[end - 1]
        middle = statistics.fmean(window)
        if is_long and close >= middle:
            said.append((end, 0))
            is_long = False
        elif not is_long and close < middle - deviations * statistics.pstdev(window):
            said.append((end, 1))
            is_long = True
    return said


@pytest.mark.parametrize(("length", "deviations"), [(20, 2.0), (5, 1.0), (10, 1.5)])
def test_agrees_with_the_standard_library_on_a_random_walk(length: int, deviations: float) -> None:
    chance, price, closes = random.Random(length), 100.0, []
    for _ in range(3000):
        price = round(price * (1 + chance.gauss(0, 0.01)), 3)
        closes.append(price)
    said = signals(closes, Params(length=length, deviations=deviations))
    assert said == independent_signals(closes, length, deviations)
    assert len(said) > 20


def test_enters_below_the_lower_band_and_leaves_at_the_middle() -> None:
    params = Params(length=4, deviations=1.0)
    assert signals([10, 10, 10, 8, 8.5, 10], params) == [(4, 1), (6, 0)]
    assert warmup(params) == 3


def test_prices_that_stand_still_have_a_band_of_no_width_and_signal_nothing() -> None:
    assert signals([0.1] * 200, Params()) == []


def test_a_narrow_band_around_a_high_price_keeps_its_width() -> None:
    closes = [1e9 + offset for offset in (0.0, 1e-3, 0.0, 1e-3, -2e-3)]
    assert signals(closes, Params(length=5, deviations=1.5)) == independent_signals(closes, 5, 1.5) == [(5, 1)]
