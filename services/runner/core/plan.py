"""A session's fixed parts: its strategies grouped into sleeves, each with its share of the capital."""

from dataclasses import dataclass
from decimal import Decimal

from services.runner.strategies.registry import LoadedStrategy, load
from shared.schemas.session import SessionConfig


@dataclass(frozen=True, slots=True)
class Sleeve:
    """Positions decided together: one strategy, or several combined. `allocation` is its share of the equity."""

    label: str
    members: tuple[int, ...]
    allocation: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a session's decisions depend on and that never changes."""

    session_id: str
    config: SessionConfig
    strategies: tuple[LoadedStrategy, ...]
    sleeves: tuple[Sleeve, ...]

    @property
    def warmup_needed(self) -> int:
        """Bars until the last strategy may speak."""
        return max(strategy.warmup for strategy in self.strategies)


class PlanError(ValueError):
    """The strategies of a session don't fit together; the message says what to change."""


def plan(session_id: str, config: SessionConfig) -> Plan:
    """The plan of a session; StrategyError or PlanError when its strategies can't be run as configured."""
    strategies = tuple(load(entry) for entry in config.strategies)
    if config.combine == "side_by_side":
        sleeves = _side_by_side(config, strategies)
    else:
        sleeves = (_combined(config, strategies),)
    return Plan(session_id, config, strategies, sleeves)


def _side_by_side(config: SessionConfig, strategies: tuple[LoadedStrategy, ...]) -> tuple[Sleeve, ...]:
    given = [entry.allocation for entry in config.strategies]
    unset = sum(allocation is None for allocation in given)
    rest = Decimal(1) - sum((allocation for allocation in given if allocation is not None), Decimal(0))
    share = rest / unset if unset else Decimal(0)
    return tuple(
        Sleeve(strategy.label, (index,), share if allocation is None else allocation)
        for index, (strategy, allocation) in enumerate(zip(strategies, given, strict=True))
    )


def _combined(config: SessionConfig, strategies: tuple[LoadedStrategy, ...]) -> Sleeve:
    for strategy in strategies:
        if strategy.kind == "portfolio":
            raise PlanError(f"{strategy.label} weighs all symbols at once; it needs combine = 'side_by_side'")
    names = ",".join(strategy.label for strategy in strategies)
    return Sleeve(f"{config.combine}({names})", tuple(range(len(strategies))), Decimal(1))
