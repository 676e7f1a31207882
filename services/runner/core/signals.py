"""From candles to stances, and from the strategies' stances to those of their sleeves."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.runner.core.plan import Sleeve
from services.runner.core.state import State
from services.runner.strategies.port import Bar, Stance
from services.runner.strategies.registry import PortfolioStrategy, SymbolStrategy
from shared.domain.portfolio import Key
from shared.schemas.market import Candle

ZERO = Decimal(0)


def heard(state: State, candle: Candle) -> tuple[Mapping[str, tuple[Any, ...]], tuple[Stance | None, ...]]:
    """The strategies' states after they have seen `candle`, and what each says to it, in the plan's order."""
    bar = Bar(
        candle.open_time,
        float(candle.open),
        float(candle.high),
        float(candle.low),
        float(candle.close),
        float(candle.volume),
    )
    before = state.strategy_states[candle.symbol]
    after, said = [], []
    for strategy, old in zip(state.plan.strategies, before, strict=True):
        new, stance = strategy.step(strategy.params, old, bar) if isinstance(strategy, SymbolStrategy) else (old, None)
        after.append(new)
        said.append(stance)
    return {**state.strategy_states, candle.symbol: tuple(after)}, tuple(said)


def with_stances(state: State, symbol: str, said: tuple[Stance | None, ...]) -> State:
    """The state after a symbol's strategies, in the plan's order, have said something or nothing (None)."""
    before = state.stances[symbol]
    after = tuple(new.weight if new else old for new, old in zip(said, before, strict=True))
    fresh = {
        (sleeve.label, symbol): stance
        for sleeve in state.plan.sleeves
        if (stance := _sleeve_stance(state, sleeve, said, before, after))
    }
    return state._replace(stances={**state.stances, symbol: after}, fresh={**state.fresh, **fresh})


def _sleeve_stance(
    state: State,
    sleeve: Sleeve,
    said: tuple[Stance | None, ...],
    before: tuple[Decimal | None, ...],
    after: tuple[Decimal | None, ...],
) -> Stance | None:
    if len(sleeve.members) == 1:
        return said[sleeve.members[0]]
    combine = min if state.plan.config.combine == "all" else max
    was = combine(before[i] or ZERO for i in sleeve.members)
    now = combine(after[i] or ZERO for i in sleeve.members)
    if was == now:
        return None
    reasons = "; ".join(f"{state.plan.strategies[i].label}: {s.reason}" for i in sleeve.members if (s := said[i]))
    return Stance(now, reasons)


def weighed(state: State) -> State:
    """The state after the portfolio strategies have seen the slice as a whole."""
    for sleeve in state.plan.sleeves:
        index = sleeve.members[0]
        strategy = state.plan.strategies[index]
        if isinstance(strategy, PortfolioStrategy):
            state = _weighed_by(state, sleeve, index, strategy)
    return state


def _weighed_by(state: State, sleeve: Sleeve, index: int, strategy: PortfolioStrategy) -> State:
    closes = state.portfolio.closes
    budget = state.portfolio.equity * sleeve.allocation
    if any(symbol not in closes for symbol in state.plan.config.symbols) or budget <= ZERO:
        return state
    weights = {
        symbol: float(state.portfolio.held(sleeve.label, symbol) * closes[symbol] / budget)
        for symbol in state.plan.config.symbols
    }
    prices = {symbol: float(closes[symbol]) for symbol in state.plan.config.symbols}
    after, targets = strategy.weigh(strategy.params, state.portfolio_states[index], prices, weights)
    state = state._replace(portfolio_states={**state.portfolio_states, index: after})
    fresh: dict[Key, Stance] = {(sleeve.label, symbol): stance for symbol, stance in (targets or {}).items()}
    return state._replace(fresh={**state.fresh, **fresh}) if fresh else state
