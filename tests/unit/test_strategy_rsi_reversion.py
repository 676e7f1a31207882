"""Wilder's RSI against his own formula, and the bars at which the strategy speaks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from services.runner.strategies.port import Bar
from services.runner.strategies.rsi_reversion import Params, initial, step, strength_index, warmup

AT = datetime(2026, 1, 5, tzinfo=UTC)


def signals(closes: Sequence[float], params: Params) -> list[tuple[int, int]]:
    state, said = initial(params), []
    for number, close in enumerate(closes, start=1):
        state, stance = step(params, state, Bar(AT, close, close, close, close, 1.0))
        if stance:
            said.append((number, int(stance.weight)))
    return said


def indices(closes: Sequence[float], params: Params) -> list[float]:
    state, seen = initial(params), []
    for close in closes:
        state, _ = step(params, state, Bar(AT, close, close, close, close, 1.0))
        if state[0] >= params.length:
            seen.append(strength_index(state[2], state[3]))
    return seen


def independent_indices(closes: Sequence[float], length: int) -> list[float]:
    changes = [after - before for before, after in pairwise(closes)]
    gain = sum(max(change, 0) for change in changes[:length]) / length
    loss = sum(max(-change, 0) for change in changes[:length]) / length
    seen = [100 - 100 / (1 + gain / loss)]
    for change in changes[length:]:
        gain = (gain * (length - 1) + max(change, 0)) / length
        loss = (loss * (length - 1) + max(-change, 0)) / length
        seen.append(100 - 100 / (1 + gain / loss))
    return seen


def test_the_index_is_wilders() -> None:
    closes = [44, 44.3, 44.1, 43.6, 44.3, 44.8, 45.1, 45.4, 45.8, 46.1, 45.9, 46.0, 45.6, 46.3, 46.3, 46.0, 46.0, 46.4]
    assert indices(closes, Params()) == pytest.approx(independent_indices(closes, 14), rel=1e-12)


def test_buys_what_is_oversold_and_leaves_when_it_is_overbought() -> None:
    closes = [100.0 - bar for bar in range(16)] + [85.0 + 3 * bar for bar in range(1, 12)]
    said = signals(closes, Params())
    assert [weight for _, weight in said] == [1, 0]
    assert said[0][0] == 15


def test_the_bar_after_as_many_changes_as_the_length_is_the_first_that_may_signal() -> None:
    params = Params(length=3)
    assert signals([9, 8, 7, 6], params) == [(4, 1)]
    assert warmup(params) == 3


def test_prices_that_stand_still_are_neither_oversold_nor_overbought() -> None:
    assert signals([100.0] * 60, Params()) == []
    assert strength_index(0.0, 0.0) == 50.0


def test_the_index_is_100_where_nothing_fell() -> None:
    assert strength_index(1.0, 0.0) == 100.0


def test_refuses_bounds_in_the_wrong_order() -> None:
    with pytest.raises(ValueError, match=r"oversold \(80\) must be below overbought \(70\)"):
        Params(oversold=80)
