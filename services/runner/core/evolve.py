"""The fold: what each fact means to the runner."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.runner.core import dealt
from services.runner.core.order import Order
from services.runner.core.signals import heard, weighed, with_stances
from services.runner.core.state import Goal, State
from shared.domain import portfolio
from shared.domain.portfolio import ZERO, Key
from shared.schemas.envelope import Event
from shared.schemas.guard import BackstopEngaged, FlattenOrdered, TradingHalted, TradingResumed
from shared.schemas.lifecycle import Checkpoint, PhaseStart, RunnerEnd, RunnerStart
from shared.schemas.market import Candle, CandleClosed, EquityMarked, SignalRaised, TradingHoursChanged
from shared.schemas.orders import (
    AccountReconciled,
    DustLeft,
    Fill,
    OrderAccepted,
    OrderApproved,
    OrderCancelled,
    OrderFilled,
    OrderIntended,
    OrderReconciled,
    OrderRefused,
    OrderRejected,
    OrderReleased,
    OrderSubmitted,
    OrderUnknown,
    VenueObserved,
)
from shared.schemas.values import Side

STOPPING = "stopping"
"""The checkpoint that tells why a session is about to end."""

GUARD = "guard"
"""The checkpoint that tells that the guard is silent, or heard again."""


def evolve(state: State, event: Event) -> State:
    """The state after `event`; total over all events, silent about those that don't concern the runner."""
    fold = _FOLDS.get(type(event))
    return fold(state, event) if fold else state


def _candle_closed(state: State, event: CandleClosed) -> State:
    candle = event.details
    if state.blocked:
        state = state._replace(blocked=_unblocked(state, candle))
    account = portfolio.with_close(state.portfolio, candle.symbol, candle.close)
    states, said = heard(state, candle)
    turned = _next_slice(state, candle.close_time) if candle.close_time != state.market_time else {}
    state = state._replace(portfolio=account, strategy_states=states, **turned)
    return with_stances(state, candle.symbol, said) if any(said) else state


def _unblocked(state: State, candle: Candle) -> frozenset[Key]:
    """What stays blocked: on a simulated market nothing beyond the slice, on a live one all but the candle's symbol."""
    if candle.close_time != state.market_time and not state.plan.config.is_live:
        return frozenset()
    return frozenset(key for key in state.blocked if key[1] != candle.symbol)


def _next_slice(state: State, market_time: datetime) -> dict[str, Any]:
    """What changes with the first candle of a slice."""
    turned: dict[str, Any] = {
        "market_time": market_time,
        "slices": state.slices + 1,
        "fresh": {},
        "closing": state.closing + (state.stopping is not None),
    }
    if state.orders:
        turned["orders"] = {name: order._replace(bars=order.bars + 1) for name, order in state.orders.items()}
    return turned


def _equity_marked(state: State, event: EquityMarked) -> State:
    if event.service == "risk":
        return state._replace(awaits_mark=False)
    account, awaits = portfolio.marked(state.portfolio), event.details.awaits_guard
    if account is not state.portfolio or awaits != state.awaits_mark:
        state = state._replace(portfolio=account, awaits_mark=awaits)
    return weighed(state)


def _signal_raised(state: State, event: SignalRaised) -> State:
    signal = event.details
    return _with_goal(state, signal.strategy, signal.symbol, Goal(signal.weight, signal.reason))


def _with_levels(state: State, order: Order) -> State:
    """The levels that protect what the order buys, and that its gain is taken at."""
    ticket = order.ticket
    if ticket.protective_stop is not None:
        stops = {**state.protective_stops, order.key: ticket.protective_stop}
        state = state._replace(protective_stops=stops)
    if ticket.take_profit is not None and not ticket.is_list:
        state = state._replace(take_profits={**state.take_profits, order.key: ticket.take_profit})
    return state


def _with_goal(state: State, strategy: str, symbol: str, goal: Goal) -> State:
    return state._replace(goals={**state.goals, (strategy, symbol): goal})


def _order_intended(state: State, event: OrderIntended) -> State:
    ticket = event.order
    order = Order(ticket, "intended", event.id, event.correlation_id)
    state = state._replace(orders={**state.orders, ticket.client_order_id: order}, order_count=state.order_count + 1)
    state = _with_levels(state, order)
    goal = state.goals.get(order.key)
    if goal and ticket.purpose in ("entry", "rebalance"):
        state = _with_goal(state, *order.key, goal._replace(pursued=True))
    return state


def _changed(state: State, name: str, **changes: Any) -> State:
    order = state.orders.get(name)
    if order is None:
        return state
    return state._replace(orders={**state.orders, name: order._replace(**changes)})


def _gone(state: State, name: str) -> State:
    if state.plan.config.is_live and name in state.orders:
        state = state._replace(dealt=dealt.with_end(state.dealt, state.orders[name]))
    return state._replace(orders={key: order for key, order in state.orders.items() if key != name})


def _order_approved(state: State, event: OrderApproved | OrderReleased) -> State:
    order = state.orders.get(event.order.client_order_id)
    if order is None or order.stage != "intended":
        return state
    return _changed(state, event.order.client_order_id, stage="approved", approval=event)


def _order_refused(state: State, event: OrderRefused) -> State:
    order = state.orders.get(event.order.client_order_id)
    if order is None or order.stage != "intended":
        return state
    return _failed(state, order)


def _failed(state: State, order: Order) -> State:
    state = _gone(state, order.ticket.client_order_id)
    if order.ticket.is_list:  # the stop goes alone, and at once
        return state._replace(unlisted=state.unlisted | {order.key})
    return state._replace(blocked=state.blocked | {order.key})


def _order_submitted(state: State, event: OrderSubmitted) -> State:
    return _changed(state, event.order.client_order_id, stage="submitted")


def _order_accepted(state: State, event: OrderAccepted) -> State:
    return _changed(state, event.order.client_order_id, stage="working", venue_order_id=event.order.venue_order_id)


def _order_rejected(state: State, event: OrderRejected) -> State:
    order = state.orders.get(event.order.client_order_id)
    if order is None:
        return state
    if event.details.never_sent or not _protects(state, order):
        return _failed(state, order)
    state = _gone(state, order.ticket.client_order_id)
    return state._replace(refused_stops=state.refused_stops | {order.key})


def _protects(state: State, order: Order) -> bool:
    """Whether a position has no other stop than this one."""
    stops = [each for each in state.orders_of(order.key) if each.ticket.purpose == "stop"]
    return stops == [order] and not order.ticket.is_list and order.key in state.portfolio.positions


def _order_cancelled(state: State, event: OrderCancelled) -> State:
    return _gone(state, event.order.client_order_id)


def _order_unknown(state: State, event: OrderUnknown) -> State:
    return _changed(state, event.order.client_order_id, stage="unknown")


def _order_reconciled(state: State, event: OrderReconciled) -> State:
    shown = event.order
    order = state.orders.get(shown.client_order_id)
    if order is None:
        return _revived(state, event)
    if shown.status in ("accepted", "partially_filled"):
        return _changed(state, shown.client_order_id, stage="working", venue_order_id=shown.venue_order_id)
    if shown.status == "rejected" and not _protects(state, order):
        return _failed(state, order)
    # A stop that never arrived is tried again without waiting for a slice: to prove it took time enough.
    return _gone(state, shown.client_order_id)


def _revived(state: State, event: OrderReconciled) -> State:
    """An order that was taken for gone, and that the venue works still."""
    shown = event.order
    gone = state.dealt.ended.get(shown.client_order_id)
    if gone is None or shown.status not in ("accepted", "partially_filled"):
        return state
    order = gone._replace(stage="working", venue_order_id=shown.venue_order_id, revived=gone.revived + 1)
    return state._replace(orders={**state.orders, shown.client_order_id: order})


def _order_filled(state: State, event: OrderFilled) -> State:
    fill = event.order
    order = state.orders.get(fill.client_order_id)
    if _is_told(state, fill):
        return state
    after, trip = portfolio.with_fill(state.portfolio, fill, event.market_time)
    bought = order or state.dealt.ended.get(fill.client_order_id)
    if bought is not None and fill.side is Side.BUY:
        state = _with_levels(state, bought)  # gone with the position, where its first part was sold meanwhile
    state = state._replace(portfolio=after)
    if state.plan.config.is_live:
        state = state._replace(dealt=dealt.with_fill(state.dealt, fill, after.quote, event.timestamp))
    if order:
        trades, taking = order.trades | {fill.trade_id}, order.taking or order.ticket.takes_profit_at(fill.price)
        filled = order.filled_qty + fill.qty
        state = _changed(state, fill.client_order_id, filled_qty=filled, trades=trades, taking=taking)
        state = _gone(state, fill.client_order_id) if fill.status == "filled" else state
    return _flat_again(state, (fill.strategy, fill.symbol)) if trip else state


def _is_told(state: State, fill: Fill) -> bool:
    """Whether the guard and we have both told the same execution of an order of ours."""
    order = state.orders.get(fill.client_order_id) or state.dealt.ended.get(fill.client_order_id)
    if order is None:
        return False
    return fill.trade_id in order.trades or dealt.trade_key(fill.symbol, fill.trade_id) in state.dealt.trades


def _dust_left(state: State, event: DustLeft) -> State:
    key = (event.details.strategy, event.details.symbol)
    account, _ = portfolio.with_dust(state.portfolio, key, event.market_time)
    return _flat_again(state._replace(portfolio=account), key)


def _flat_again(state: State, key: tuple[str, str]) -> State:
    goal = state.goals.get(key)
    stops = {name: price for name, price in state.protective_stops.items() if name != key}
    targets = {name: price for name, price in state.take_profits.items() if name != key}
    state = state._replace(
        protective_stops=stops,
        take_profits=targets,
        unlisted=state.unlisted - {key},
        refused_stops=state.refused_stops - {key},
    )
    return _with_goal(state, *key, goal._replace(pursued=True)) if goal and goal.weight == ZERO else state


def _trading_halted(state: State, event: TradingHalted) -> State:
    halt = event.details
    if halt.control_sequence is not None and halt.control_sequence <= state.cleared_up_to:
        return state
    if state.killed and halt.kind != "kill":
        return state._replace(enabled=True)
    newly_killed = halt.kind == "kill" and not state.killed
    return state._replace(enabled=True, halt=halt, unconfirmed_kill=state.unconfirmed_kill or newly_killed)


def _trading_resumed(state: State, event: TradingResumed) -> State:
    if event.details.restored:
        return state._replace(halt=None) if state.halt is not None and state.halt.conditions else state
    cleared = max(state.cleared_up_to, event.details.control_sequence or 0)
    state = state._replace(enabled=True, halt=None, cleared_up_to=cleared, unconfirmed_kill=False, relieved=False)
    return state._replace(dealt=dealt.accepted(state.dealt)) if state.dealt.suspected else state


def _backstop_engaged(state: State, event: BackstopEngaged) -> State:
    return state._replace(relieved=True)


def _flatten_ordered(state: State, event: FlattenOrdered) -> State:
    goals = {key: Goal(ZERO, f"flatten: {event.details.reason}") for key in state.portfolio.positions}
    return state._replace(goals={**state.goals, **goals})


def _venue_observed(state: State, event: VenueObserved) -> State:
    return state._replace(unconfirmed_kill=False)


def _runner_start(state: State, event: RunnerStart) -> State:
    before = {balance.asset: balance.qty for balance in event.details.balances_before}
    return state._replace(market_start=event.details.market_start, dealt=state.dealt._replace(before=before))


def _account_reconciled(state: State, event: AccountReconciled) -> State:
    return state._replace(dealt=dealt.with_statement(state.dealt, event))


def _phase_start(state: State, event: PhaseStart) -> State:
    return state._replace(phase=event.phase)


def _checkpoint(state: State, event: Checkpoint) -> State:
    if event.details.name == STOPPING:
        return state._replace(stopping=event.details.observed)
    if event.details.name == GUARD:
        silent = event.status == "fail"
        return state._replace(unguarded=silent, awaits_mark=state.awaits_mark and not silent)
    if event.details.name.startswith(SIZING):
        strategy, symbol = event.details.name.removeprefix(SIZING).rsplit(" ", 1)
        goal = state.goals.get((strategy, symbol), Goal(ZERO, "too small"))
        return _with_goal(state, strategy, symbol, goal._replace(pursued=True))
    return state


SIZING = "sizing of "
"""The checkpoint that tells that an order would be too small: followed by the sleeve and the symbol."""


def _trading_hours_changed(state: State, event: TradingHoursChanged) -> State:
    hours = event.details
    blocked, refused = (
        frozenset(key for key in keys if key[1] not in hours.symbols) for keys in (state.blocked, state.refused_stops)
    )
    return state._replace(hours=hours, blocked=blocked, refused_stops=refused)


def _runner_end(state: State, event: RunnerEnd) -> State:
    return state._replace(ended=True)


_FOLDS: Mapping[type[Event], Callable[[State, Any], State]] = {
    CandleClosed: _candle_closed,
    EquityMarked: _equity_marked,
    SignalRaised: _signal_raised,
    OrderIntended: _order_intended,
    OrderApproved: _order_approved,
    OrderReleased: _order_approved,
    OrderRefused: _order_refused,
    OrderSubmitted: _order_submitted,
    OrderAccepted: _order_accepted,
    OrderRejected: _order_rejected,
    OrderCancelled: _order_cancelled,
    OrderUnknown: _order_unknown,
    OrderReconciled: _order_reconciled,
    OrderFilled: _order_filled,
    DustLeft: _dust_left,
    TradingHalted: _trading_halted,
    TradingResumed: _trading_resumed,
    BackstopEngaged: _backstop_engaged,
    FlattenOrdered: _flatten_ordered,
    VenueObserved: _venue_observed,
    AccountReconciled: _account_reconciled,
    TradingHoursChanged: _trading_hours_changed,
    RunnerStart: _runner_start,
    PhaseStart: _phase_start,
    Checkpoint: _checkpoint,
    RunnerEnd: _runner_end,
}

FOLDED: frozenset[str] = frozenset(kind.model_fields["type"].default for kind in _FOLDS)
"""The types of fact that mean something to the runner."""
