"""The levels that end a position: at the venue, as a stop or as a list, or by the runner, which watches the closes."""

from decimal import ROUND_CEILING, Decimal

from services.runner.core import fitting
from services.runner.core.order import Order
from services.runner.core.state import State
from shared.domain.portfolio import Key
from shared.schemas.session import Instrument, SessionConfig

ONE = Decimal(1)


def take_profit(config: SessionConfig, symbol: str, price: Decimal) -> Decimal | None:
    """Where the gain of a long position entered at `price` is taken; None where the session does not ask for it."""
    if config.sizing.profit_distance is None:
        return None
    target = price * (ONE + config.sizing.profit_distance)
    return fitting.to_step(target, config.instrument_of(symbol).tick_size, ROUND_CEILING)


def listed_at(state: State, key: Key, trigger: Decimal) -> Decimal | None:
    """The take-profit that goes to the venue together with a stop at `trigger`; None where the stop goes alone.

    A venue refuses a list unless the market stands between its two prices.
    """
    target, rules = state.take_profits.get(key), state.plan.config.instrument_of(key[1])
    if target is None or not rules.has_lists or key in state.unlisted:
        return None
    close = state.portfolio.closes[key[1]]
    if not trigger < close < target or fitting.mispriced(rules, target, close):
        return None
    return target


def passed_level(state: State, key: Key) -> str | None:
    """Why a position is closed by the runner because of where the market stands, or None.

    That is where no list at the venue stands for its take-profit, and where its stop could not be placed before the
    market had passed it: a venue refuses a stop that would trigger at once.
    """
    target, trigger = state.take_profits.get(key), state.protective_stops.get(key)
    if (target is None and trigger is None) or key not in state.portfolio.positions:
        return None
    close, stops = state.portfolio.closes[key[1]], _stops(state, key)
    if target is not None and close >= target and not any(_stands_for_profit(state, order) for order in stops):
        return f"the take-profit of {target:f} is reached"
    if trigger is not None and close <= trigger and not stops:
        return f"the stop of {trigger:f} was passed before it stood at the venue"
    return None


def is_watched(state: State, key: Key) -> bool:
    """Whether the runner itself watches the closes for a position's take-profit, or for its stop."""
    if key not in state.portfolio.positions:
        return False
    stops = _stops(state, key)
    if key in state.protective_stops and not stops:
        return True
    return key in state.take_profits and not any(_stands_for_profit(state, order) for order in stops)


def left_unprotected(state: State, order: Order) -> bool:
    """Whether a list has begun to take profit, which ends its stop, and its rest is enough for a list of its own."""
    if not order.taking:
        return False
    ticket = order.ticket
    rules = state.plan.config.instrument_of(ticket.symbol)
    return fitting.too_small(rules, _rest(rules, order), ticket.stop_price or ticket.reference_price) is None


def _rest(rules: Instrument, order: Order) -> Decimal:
    return fitting.to_step(order.ticket.qty - order.filled_qty, rules.lot_step)


def _stops(state: State, key: Key) -> tuple[Order, ...]:
    return tuple(order for order in state.orders_of(key) if order.ticket.purpose == "stop")


def _stands_for_profit(state: State, order: Order) -> bool:
    return order.ticket.is_list and not left_unprotected(state, order)
