"""Golden cross against plain means."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import accumulate

import pytest

from services.runner.strategies.golden_cross import Params, initial, step, warmup
from services.runner.strategies.port import Bar

AT = datetime(2026, 1, 5, tzinfo=UTC)


def signals(closes: Sequence[float], params: Params) -> list[tuple[int, int]]:
    state, said = initial(params), []
    for number, close in enumerate(closes, start=1):
        state, stance = step(params, state, Bar(AT, close, close, close, close, 1.0))
        if stance:
            said.append((number, int(stance.weight)))
    return said


def independent_signals(closes: Sequence[float], fast: int, slow: int) -> list[tuple[int, int]]:
    until = list(accumulate((Fraction(close) for close in closes), initial=Fraction(0)))

    def lead(end: int) -> Fraction:
        return (until[end] - until[end - fast]) / fast - (until[end] - until[end - slow]) / slow

    said = []
    for end in range(slow + 1, len(closes) + 1):
        if lead(end) > 0 >= lead(end - 1):
            said.append((end, 1))
        if lead(end) < 0 <= lead(end - 1):
            said.append((end, 0))
    return said


@pytest.mark.parametrize(("fast", "slow"), [(1, 2), (3, 10), (50, 200)])
def test_agrees_with_exact_means_on_a_random_walk(fast: int, slow: int) -> None:
    chance, price, closes = random.Random(slow), 100.0, []
    for _ in range(1500):
        price = round(price * (1 + chance.gauss(0, 0.01)), 3)
        closes.append(price)
    said = signals(closes, Params(fast=fast, slow=slow))
    assert said == independent_signals(closes, fast, slow)
    assert said


def test_the_bar_after_the_slow_average_exists_is_the_first_that_may_signal() -> None:
    params = Params(fast=2, slow=4)
    assert signals([10, 10, 10, 10, 11], params) == [(5, 1)]
    assert signals([10, 10, 10, 11, 11], params) == []
    assert warmup(params) == 4


def test_prices_that_stand_still_never_cross_whatever_they_are() -> None:
    assert signals([0.1] * 900, Params()) == []


def test_a_long_price_shock_leaves_no_trace_in_the_sums() -> None:
    params = Params(fast=2, slow=4)
    state = initial(params)
    for close in [0.1, 1e12, 3e-9, 7.7] * 500 + [0.1] * 8:
        state, _ = step(params, state, Bar(AT, close, close, close, close, 1.0))
    assert state[3] == 0


def test_refuses_a_fast_average_that_is_not_faster() -> None:
    with pytest.raises(ValueError, match=r"fast \(300\) must be below slow \(200\)"):
        Params(fast=300)
