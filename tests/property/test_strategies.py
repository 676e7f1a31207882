"""What holds for every strategy of one symbol, whatever the market does."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runner.strategies.port import Bar, Stance
from services.runner.strategies.registry import SymbolStrategy, load
from shared.schemas.session import StrategyEntry

AT = datetime(2026, 1, 5, tzinfo=UTC)
SHORT: dict[str, dict[str, Any]] = {
    "ema_crossover": {"fast": 2, "slow": 5},
    "golden_cross": {"fast": 2, "slow": 5},
    "rsi_reversion": {"length": 4, "oversold": 40, "overbought": 60},
    "bollinger": {"length": 5, "deviations": 1},
}
CLOSES = st.lists(st.integers(1, 10**9).map(lambda cents: cents / 100), max_size=60)


def loaded(name: str) -> SymbolStrategy:
    strategy = load(StrategyEntry(name=name, params=SHORT[name]))
    assert isinstance(strategy, SymbolStrategy)
    return strategy


def holds_numbers_alone(state: object) -> bool:
    return all(map(holds_numbers_alone, state)) if isinstance(state, tuple) else isinstance(state, int | float)


def stances(strategy: SymbolStrategy, closes: list[float]) -> list[Stance | None]:
    state, said = strategy.start, []
    for close in closes:
        state, stance = strategy.step(strategy.params, state, Bar(AT, close, close, close, close, 1.0))
        said.append(stance)
    return said


@pytest.mark.parametrize("name", SHORT)
@given(closes=CLOSES)
def test_says_nothing_while_warming_up(name: str, closes: list[float]) -> None:
    strategy = loaded(name)
    assert not any(stances(strategy, closes)[: strategy.warmup])


@pytest.mark.parametrize("name", SHORT)
@given(closes=CLOSES, later=CLOSES)
def test_what_was_said_does_not_depend_on_what_comes(name: str, closes: list[float], later: list[float]) -> None:
    strategy = loaded(name)
    assert stances(strategy, closes + later)[: len(closes)] == stances(strategy, closes)


@pytest.mark.parametrize("name", SHORT)
@given(closes=CLOSES)
def test_stances_alternate_between_fully_long_and_flat(name: str, closes: list[float]) -> None:
    weights = [stance.weight for stance in stances(loaded(name), closes) if stance]
    assert set(weights) <= {0, 1}
    assert name in ("ema_crossover", "golden_cross") or all(weight != after for weight, after in pairwise(weights))


@pytest.mark.parametrize("name", SHORT)
@given(closes=CLOSES)
def test_a_state_consists_of_numbers_alone(name: str, closes: list[float]) -> None:
    strategy = loaded(name)
    state = strategy.start
    for close in closes:
        state, _ = strategy.step(strategy.params, state, Bar(AT, close, close, close, close, 1.0))
    assert holds_numbers_alone(state)
