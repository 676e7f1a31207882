"""Strategies combined, side by side, and weighing a whole portfolio."""

from decimal import Decimal

import pytest

from services.runner.core.plan import PlanError, plan
from services.runner.strategies.port import StrategyError
from shared.schemas.market import SignalRaised
from shared.schemas.orders import OrderFilled, OrderIntended
from tests.rehearsal import SESSION, candles_at, feed_of, rehearse, session

QUICK = {"name": "ema_crossover", "label": "quick", "params": {"fast": 1, "slow": 2}}
SLOW = {"name": "ema_crossover", "label": "slow", "params": {"fast": 1, "slow": 4}}
PRICES = ["110", "105", "100", "101", "102", "103", "104", "105", "101", "98", "97", "96"]


def test_any_enters_with_the_first_and_all_with_the_last_of_its_strategies() -> None:
    feed = feed_of(candles_at(PRICES))
    entered = {
        combine: rehearse(session(combine=combine, strategies=[QUICK, SLOW]), feed).told(OrderIntended)[0].market_time
        for combine in ("any", "all")
    }
    assert entered["any"] < entered["all"]


def test_all_leaves_with_the_first_of_its_strategies() -> None:
    signals = rehearse(session(combine="all", strategies=[QUICK, SLOW]), feed_of(candles_at(PRICES))).told(SignalRaised)
    assert [signal.details.weight for signal in signals] == [1, 0]
    assert signals[0].details.strategy == "all(quick,slow)"


def test_strategies_side_by_side_hold_positions_and_capital_of_their_own() -> None:
    config = session(strategies=[{**QUICK, "allocation": "0.25"}, SLOW], sizing={"fraction": "1"})
    result = rehearse(config, feed_of(candles_at(PRICES)))
    values = {
        i.order.strategy: i.order.qty * i.order.reference_price
        for i in result.told(OrderIntended)
        if not i.order.reduce_only
    }
    assert values["quick"] == pytest.approx(Decimal(2500), rel=Decimal("0.01"))
    assert values["slow"] == pytest.approx(Decimal(7500), rel=Decimal("0.01"))


def test_rebalancing_brings_drifted_weights_back() -> None:
    config = session(
        symbols=("BTCUSDT", "ETHUSDT"),
        strategies=[
            {"name": "rebalance", "params": {"weights": {"BTCUSDT": "0.5", "ETHUSDT": "0.4"}, "tolerance": "0.05"}}
        ],
    )
    rising = candles_at(["100", "100", "100", "150", "150", "150"])
    steady = candles_at(["50"] * 6, symbol="ETHUSDT")
    result = rehearse(config, feed_of(rising, steady))
    sides = [(fill.order.symbol, fill.order.side) for fill in result.told(OrderFilled)]
    assert sides == [("BTCUSDT", "buy"), ("ETHUSDT", "buy"), ("BTCUSDT", "sell"), ("ETHUSDT", "buy")]
    account = result.state.portfolio
    assert account.held("rebalance", "BTCUSDT") * 150 / account.equity == pytest.approx(
        Decimal("0.5"), abs=Decimal("0.01")
    )


def test_a_portfolio_strategy_cannot_be_combined() -> None:
    config = session(combine="all", strategies=[{"name": "rebalance", "params": {"weights": {"BTCUSDT": "1"}}}, QUICK])
    with pytest.raises(PlanError, match="side_by_side"):
        plan(SESSION, config)


def test_an_unknown_strategy_is_refused_by_name() -> None:
    with pytest.raises(StrategyError, match="moonshot"):
        plan(SESSION, session(strategies=[{"name": "moonshot"}]))
