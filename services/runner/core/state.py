"""The runner's state: what the facts of a session add up to for the one who trades it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from services.runner.core.dealt import Dealt
from services.runner.core.order import Order
from services.runner.core.plan import Plan
from services.runner.strategies.port import Stance
from shared.domain import portfolio
from shared.domain.portfolio import Key, Portfolio
from shared.domain.replacing import often_replaced
from shared.schemas.guard import Halt
from shared.schemas.market import TradingHours
from shared.schemas.values import Phase


@often_replaced
class Goal(NamedTuple):
    """What a sleeve wants of a symbol. `pursued` once its orders have been intended, or given up."""

    weight: Decimal
    reason: str
    pursued: bool = False


@often_replaced
class State(NamedTuple):
    """All that the runner's decisions depend on.

    `strategy_states` holds a symbol's strategies' states in the plan's order, `stances` what they last said.
    `fresh` are the sleeves' new stances of the slice at hand, by sleeve and symbol; `blocked` are those for which
    an order failed within it, or on a live market since the symbol's last candle: a stock has none at night. `closing`
    counts the slices since the session was asked to end. `cleared_up_to` is the last CONTROL sequence that a resumption
    covers. `dealt` is what an account must show by our books. While `relieved`, the guard itself acts at the venue and
    nothing is to be ordered. `unlisted` are the positions whose stop the venue would not take in one list with the
    take-profit, `refused_stops` those that it refuses to protect. `hours` are the exchange's, where it closes. While
    `unguarded` the guard is silent: nothing new is risked, and what reduces a position goes without its word.
    """

    plan: Plan
    portfolio: Portfolio
    strategy_states: Mapping[str, tuple[Any, ...]]
    portfolio_states: Mapping[int, Any]
    stances: Mapping[str, tuple[Decimal | None, ...]]
    fresh: Mapping[Key, Stance] = MappingProxyType({})
    goals: Mapping[Key, Goal] = MappingProxyType({})
    orders: Mapping[str, Order] = MappingProxyType({})
    protective_stops: Mapping[Key, Decimal] = MappingProxyType({})
    blocked: frozenset[Key] = frozenset()
    order_count: int = 0
    slices: int = 0
    phase: Phase | None = None
    market_time: datetime | None = None
    market_start: datetime | None = None
    enabled: bool = False
    halt: Halt | None = None
    cleared_up_to: int = 0
    awaits_mark: bool = False
    unconfirmed_kill: bool = False
    stopping: str | None = None
    closing: int = 0
    ended: bool = False
    dealt: Dealt = Dealt()
    relieved: bool = False
    unguarded: bool = False
    take_profits: Mapping[Key, Decimal] = MappingProxyType({})
    unlisted: frozenset[Key] = frozenset()
    hours: TradingHours | None = None
    refused_stops: frozenset[Key] = frozenset()

    @property
    def killed(self) -> bool:
        """Whether a kill is in force."""
        return self.halt is not None and self.halt.kind == "kill"

    def orders_of(self, key: Key) -> tuple[Order, ...]:
        """The orders in flight of a sleeve and symbol, oldest first."""
        return tuple(order for order in self.orders.values() if order.key == key)


def initial(plan: Plan) -> State:
    """The state before a session's first fact. Trading is not enabled."""
    config = plan.config
    starts = tuple(strategy.start for strategy in plan.strategies)
    return State(
        plan=plan,
        portfolio=portfolio.opened(config.initial_capital, config.quote),
        strategy_states=dict.fromkeys(config.symbols, starts),
        portfolio_states=dict(enumerate(starts)),
        stances=dict.fromkeys(config.symbols, (None,) * len(plan.strategies)),
    )
