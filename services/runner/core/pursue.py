"""From goals to order intents: what must be ordered now, given what is held and what is in flight."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.runner.core import fitting, hours, sizing, taking
from services.runner.core.order import Order
from services.runner.core.schedule import is_open
from services.runner.core.state import Goal, State
from shared.domain.portfolio import Key
from shared.schemas.identity import client_order_id
from shared.schemas.orders import Ticket
from shared.schemas.trusted import trusted
from shared.schemas.values import OrderType, Side

ZERO = Decimal(0)
MOST_STOPS = 3
"""A position that fills in parts is protected part by part, up to so many; then one stop takes their place."""
Purpose = Literal["entry", "exit", "stop", "rebalance", "flatten"]


@dataclass(frozen=True, slots=True)
class Unfit:
    """A goal that can't be pursued, for the venue would not take the order; `reason` names its filter."""

    key: Key
    reason: str


Wish = Ticket | Unfit


def closing_reason(state: State, key: Key) -> str | None:
    """Why the position `key` is to be closed now, or None."""
    if state.killed:
        return "kill" if state.plan.config.flattens_on_kill else None
    if state.plan.config.on_stop == "flatten":
        if state.stopping:
            return state.stopping
        if not open_for_risk(state):
            return "the schedule's end"
    if reason := hours.closing_in(state, key[1]):
        return reason
    goal = state.goals.get(key)
    if goal and goal.weight == ZERO and not goal.pursued:
        return goal.reason
    if key in state.refused_stops:
        return "the venue refuses its stop"
    return hours.passed_stop(state, key) or taking.passed_level(state, key)


def open_for_risk(state: State) -> bool:
    """Whether the schedule lets new risk be taken at the market's time."""
    return state.market_time is not None and is_open(state.plan.config.schedule, state.market_time)


def keys(state: State) -> tuple[Key, ...]:
    """Every sleeve and symbol that may need an order, positions first."""
    return tuple(dict.fromkeys((*state.portfolio.positions, *state.goals)))


def wish_for(state: State, key: Key, *, at_slice_end: bool) -> Wish | None:
    """The order to intend now for a sleeve and symbol.

    Positions are closed and protected whenever something changes; new risk is taken at a slice's end only, for that is
    what it was sized on. What was refused or rejected is not tried again within the slice, nor on a live market before
    the symbol's next candle. While the exchange is closed nothing is intended.
    """
    held, goal = state.portfolio.held(*key), state.goals.get(key)
    if held == ZERO and (goal is None or goal.pursued):
        return None
    if key in state.blocked or state.relieved or hours.is_closed(state, key[1]):
        return None
    in_flight = state.orders_of(key)
    if closing_reason(state, key) is not None:
        return _exit(state, key, held) if held > ZERO and not in_flight else None
    if state.killed:
        return None
    stop = _stop(state, key, held, in_flight) if held > ZERO else None
    if stop or not at_slice_end or state.stopping or not open_for_risk(state):
        return stop
    if goal is None or goal.pursued or any(o.ticket.purpose != "stop" for o in in_flight):
        return None
    if any(order.stage == "unknown" and order.ticket.symbol == key[1] for order in state.orders.values()):
        return None
    return _toward(state, key, goal, held)


def _toward(state: State, key: Key, goal: Goal, held: Decimal) -> Wish | None:
    sleeve = next(s for s in state.plan.sleeves if s.label == key[0])
    if state.plan.strategies[sleeve.members[0]].kind == "portfolio":
        return _rebalance(state, key, goal, held, sleeve.allocation)
    return _entry(state, key, goal, sleeve.allocation) if held == ZERO else None


def _entry(state: State, key: Key, goal: Goal, allocation: Decimal) -> Wish:
    config, price = state.plan.config, state.portfolio.closes[key[1]]
    instrument = config.instrument_of(key[1])
    qty = sizing.entry_qty(state, allocation, goal.weight, key[1], price)
    problem = fitting.too_small(instrument, qty, price)
    if problem:
        return Unfit(key, problem)
    limit = None
    if config.orders.entry == "limit":
        limit = fitting.passive_limit(Side.BUY, price, config.orders.limit_offset, instrument.tick_size)
        problem = fitting.mispriced(instrument, limit, price)
        if problem:
            return Unfit(key, problem)
    elif not config.sizing.stop_distance:
        return _market(state, key, Side.BUY, qty, "entry")
    return Ticket(
        client_order_id=client_order_id(state.plan.session_id, state.order_count),
        strategy=key[0],
        symbol=key[1],
        side=Side.BUY,
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        qty=qty,
        price=limit,
        reference_price=price,
        protective_stop=sizing.protective_stop(config, key[1], limit or price),
        take_profit=taking.take_profit(config, key[1], limit or price),
        extended_hours=hours.has_extended(state, key[1]),
        purpose="entry",
    )


def _rebalance(state: State, key: Key, goal: Goal, held: Decimal, allocation: Decimal) -> Wish:
    price = state.portfolio.closes[key[1]]
    instrument = state.plan.config.instrument_of(key[1])
    missing = state.portfolio.equity * allocation * goal.weight - held * price
    side = Side.BUY if missing > ZERO else Side.SELL
    value = min(missing, max(sizing.spendable(state), ZERO)) if side is Side.BUY else min(-missing, held * price)
    qty = fitting.fitted(instrument, value / price, price, market=True)
    problem = fitting.too_small(instrument, qty, price)
    if problem:
        return Unfit(key, problem)
    return _market(state, key, side, qty, "rebalance")


def _exit(state: State, key: Key, held: Decimal) -> Wish | None:
    price = state.portfolio.closes[key[1]]
    instrument = state.plan.config.instrument_of(key[1])
    qty = fitting.fitted(instrument, held, price, market=True)
    problem = fitting.too_small(instrument, qty, price)
    if problem:
        goal = state.goals.get(key)
        return Unfit(key, f"dust of {held:f}: {problem}") if goal and not goal.pursued else None
    purpose: Purpose = "flatten" if state.killed or state.stopping else "exit"
    order = _market(state, key, Side.SELL, qty, purpose)
    return _extended(state, order) if hours.is_extended(state, key[1]) else order


def _extended(state: State, order: Ticket) -> Ticket:
    """The order as extended hours take it: a limit so far beyond the last price as a stop's would be."""
    config = state.plan.config
    limit = order.reference_price * (1 - config.orders.stop_limit_offset)
    price = fitting.to_step(limit, config.instrument_of(order.symbol).tick_size)
    return order.model_copy(update={"type": OrderType.LIMIT, "price": price, "extended_hours": True})


def _market(state: State, key: Key, side: Side, qty: Decimal, purpose: Purpose) -> Ticket:
    """A market order of a quantity that is not `too_small`, so that it is valid as it is."""
    particulars = {
        "client_order_id": client_order_id(state.plan.session_id, state.order_count),
        "strategy": key[0],
        "symbol": key[1],
        "side": side,
        "type": OrderType.MARKET,
        "qty": qty,
        "reference_price": state.portfolio.closes[key[1]],
        "reduce_only": side is Side.SELL,
        "purpose": purpose,
    }
    return trusted(Ticket, particulars)


def has_too_many_stops(state: State, key: Key) -> bool:
    """Whether a position has grown in so many parts that its stops are to be taken back, for one that covers all."""
    stops = tuple(order for order in state.orders_of(key) if order.ticket.purpose == "stop")
    rules = state.plan.config.instrument_of(key[1])
    most = min(rules.max_stops - 1, MOST_STOPS) if rules.max_stops > 1 else MOST_STOPS
    if len(stops) < most:
        return False
    return fitting.to_step(state.portfolio.held(*key) - _covered(stops), rules.lot_step) > ZERO


def _covered(orders: tuple[Order, ...]) -> Decimal:
    return sum((o.ticket.qty - o.filled_qty for o in orders if o.ticket.purpose == "stop"), ZERO)


def _stop(state: State, key: Key, held: Decimal, in_flight: tuple[Order, ...]) -> Ticket | None:
    trigger = state.protective_stops.get(key)
    if (
        trigger is None
        or hours.is_extended(state, key[1])
        or any(o.ticket.reduce_only and o.ticket.purpose != "stop" for o in in_flight)
    ):
        return None
    config = state.plan.config
    instrument = config.instrument_of(key[1])
    if has_too_many_stops(state, key):
        return None
    covered = _covered(in_flight)
    qty = fitting.fitted(instrument, held - covered, trigger, market=config.orders.stop == "stop")
    if fitting.too_small(instrument, qty, trigger):
        return None
    limit = None
    if config.orders.stop == "stop_limit":
        limit = fitting.to_step(trigger * (1 - config.orders.stop_limit_offset), instrument.tick_size)
    return Ticket(
        client_order_id=client_order_id(state.plan.session_id, state.order_count),
        strategy=key[0],
        symbol=key[1],
        side=Side.SELL,
        type=OrderType.STOP_LIMIT if limit else OrderType.STOP,
        qty=qty,
        price=limit,
        stop_price=trigger,
        take_profit=taking.listed_at(state, key, trigger),
        reference_price=state.portfolio.closes[key[1]],
        reduce_only=True,
        purpose="stop",
    )
