"""Rebalancing to target weights within a tolerance."""

from decimal import Decimal

import pytest

from services.runner.strategies.rebalance import Params, initial, weigh

PARAMS = Params(weights={"BTCUSDT": Decimal("0.6"), "ETHUSDT": Decimal("0.3")}, tolerance=Decimal("0.05"))
CLOSES = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}
SET_UP = (True,)


def test_takes_up_all_targets_at_the_first_slice() -> None:
    state, stances = weigh(PARAMS, initial(PARAMS), CLOSES, {})
    assert state == SET_UP
    assert {symbol: stance.weight for symbol, stance in (stances or {}).items()} == PARAMS.weights


def test_waits_until_every_target_has_a_price() -> None:
    assert weigh(PARAMS, initial(PARAMS), {"BTCUSDT": 60_000.0}, {}) == (initial(PARAMS), None)


def test_a_drift_within_the_tolerance_trades_nothing() -> None:
    assert weigh(PARAMS, SET_UP, CLOSES, {"BTCUSDT": 0.649, "ETHUSDT": 0.26}) == (SET_UP, None)


@pytest.mark.parametrize("weights", [{"BTCUSDT": 0.66, "ETHUSDT": 0.3}, {"BTCUSDT": 0.6, "ETHUSDT": 0.24}, {}])
def test_one_weight_beyond_the_tolerance_brings_all_targets_back(weights: dict[str, float]) -> None:
    _, stances = weigh(PARAMS, SET_UP, CLOSES, weights)
    assert {symbol: stance.weight for symbol, stance in (stances or {}).items()} == PARAMS.weights


def test_the_reason_names_what_drifted_furthest() -> None:
    _, stances = weigh(PARAMS, SET_UP, CLOSES, {"BTCUSDT": 0.7, "ETHUSDT": 0.24})
    assert stances is not None
    assert stances["ETHUSDT"].reason == "target weight 30%, BTCUSDT has drifted to 70.0%"


def test_refuses_weights_above_the_whole() -> None:
    with pytest.raises(ValueError, match=r"the weights add up to 1\.1, more than 1"):
        Params(weights={"A": Decimal("0.6"), "B": Decimal("0.5")})
