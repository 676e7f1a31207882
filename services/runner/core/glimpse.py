"""Slices whose candles are not told: only what decisions need of them is seen.

A backtest that nobody wants every candle of passes over quiet slices and sees the others through here. What it decides
and where it ends is what `decide.handle` would have decided on the same candles, fact for fact and id for id.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.runner.core.decide import conclude, reported
from services.runner.core.pursue import closing_reason, keys, wish_for
from services.runner.core.signals import with_stances
from services.runner.core.state import State
from services.runner.core.taking import is_watched
from services.runner.core.telling import Telling
from services.runner.core.todo import settled, todo
from services.runner.strategies.port import Stance
from shared.domain import portfolio
from shared.domain.portfolio import ZERO, Key
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause
from shared.venues.port import Report


class Glimpse(NamedTuple):
    """A slice as far as decisions need it: the symbols' closes, what their strategies said, what the venue reported.

    `quiet` slices passed since the state was last brought up to date; -1 where the slice itself has, and `told` reports
    of it, and only what the strategies say is new.
    """

    close_time: datetime
    closes: Mapping[str, Decimal]
    said: Mapping[str, Sequence[Stance | None]]
    reports: Sequence[Report]
    quiet: int
    told: int = 0


def decide_on(state: State, seen: Glimpse, cause: Cause) -> tuple[State, Sequence[Event]]:
    """The state after the slice, and its facts without candles and mark. The strategies' own states stay behind."""
    telling = Telling(passed(state, seen), cause)
    telling.pass_over(len(seen.closes) + seen.told)
    reported(telling, seen.reports)
    telling.state = telling.state._replace(portfolio=portfolio.marked(telling.state.portfolio))
    telling.pass_over(1)
    conclude(telling)
    return telling.state, telling.told


def passed(state: State, seen: Glimpse) -> State:
    """The state after the slice's candles and all the quiet slices before them."""
    count = seen.quiet + 1
    state = state._replace(
        portfolio=portfolio.with_closes(state.portfolio, seen.closes),
        fresh={},
        orders={name: order._replace(bars=order.bars + count) for name, order in state.orders.items()},
        blocked=frozenset(),
        slices=state.slices + count,
        market_time=seen.close_time,
    )
    for symbol, said in seen.said.items():
        state = with_stances(state, symbol, tuple(said))
    return state


def rests(state: State) -> bool:
    """Whether slices at which no strategy speaks and the venue reports nothing lead to no order either.

    That holds while the orders in flight stay as they are and the schedule stays open, or closed, as it is. With
    take-profits every slice counts, for the runner may watch the closes itself.
    """
    if state.plan.config.sizing.profit_distance is not None:
        return False
    if state.phase != "api_phase" or state.stopping or state.killed or not settled(state):
        return False
    if any(True for _ in todo(state)):
        return False
    fresh_slice = state._replace(blocked=frozenset())
    return all(_is_content(fresh_slice, key) for key in keys(state))


def _is_content(state: State, key: Key) -> bool:
    if is_watched(state, key):
        return False
    if closing_reason(state, key) is not None:
        return state.portfolio.held(*key) == ZERO
    return wish_for(state, key, at_slice_end=True) is None


def quiet_ages(state: State) -> int | None:
    """How many slices may pass before an entry has waited too long; None for any number."""
    patience = state.plan.config.orders.cancel_after_bars
    waiting = [patience - 1 - order.bars for order in state.orders.values() if order.ticket.purpose == "entry"]
    return min(waiting, default=None)
