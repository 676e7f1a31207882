"""Automatic rebalancing: hold target weights, and trade back to them when one has drifted beyond a tolerance.

The drift is the absolute difference between a symbol's weight and its target, both shares of the strategy's equity.
What the targets leave over stays in cash.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field, field_validator

from services.runner.strategies.port import Stance, StrategyParams

Weight = Annotated[Decimal, Field(ge=0, le=1)]


class Params(StrategyParams):
    """The target weight of each symbol, together 1 at most, and the drift that is tolerated."""

    weights: dict[str, Weight] = Field(min_length=1)
    tolerance: Decimal = Field(default=Decimal("0.05"), gt=0, lt=1)

    @field_validator("weights")
    @classmethod
    def _not_more_than_everything(cls, weights: dict[str, Decimal]) -> dict[str, Decimal]:
        total = sum(weights.values(), Decimal(0))
        if total > 1:
            raise ValueError(f"the weights add up to {total}, more than 1")
        return weights


State = tuple[bool]
"""Whether the portfolio was set up."""


def warmup(params: Params) -> int:
    """The slices before the first that may rebalance: none."""
    return 0


def initial(params: Params) -> State:
    """Before the first slice."""
    return (False,)


def weigh(
    params: Params, state: State, closes: Mapping[str, float], weights: Mapping[str, float]
) -> tuple[State, Mapping[str, Stance] | None]:
    """All targets, at the first slice that prices all of them and whenever one has drifted too far."""
    if any(symbol not in closes for symbol in params.weights):
        return state, None
    if state[0]:
        drifted = _most_drifted(params, weights)
        return state, _targets(params, drifted) if drifted else None
    return (True,), _targets(params, "set up")


def _most_drifted(params: Params, weights: Mapping[str, float]) -> str:
    """What has drifted furthest, in words; empty when everything is within the tolerance."""
    drifts = {symbol: abs(weights.get(symbol, 0.0) - float(target)) for symbol, target in params.weights.items()}
    symbol = max(drifts, key=lambda name: drifts[name])
    if drifts[symbol] <= params.tolerance:
        return ""
    return f"{symbol} has drifted to {weights.get(symbol, 0.0):.1%}"


def _targets(params: Params, occasion: str) -> Mapping[str, Stance]:
    return {
        symbol: Stance(target, f"target weight {target:%}, {occasion}") for symbol, target in params.weights.items()
    }
