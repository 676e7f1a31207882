"""What the runner decides on each input: facts, and nothing but facts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from services.runner.core import hours, troubles
from services.runner.core.evolve import GUARD, SIZING, STOPPING, evolve
from services.runner.core.health import tell_health
from services.runner.core.inputs import (
    AccountObserved,
    CallFailed,
    CallSucceeded,
    Examined,
    GuardHeard,
    GuardSilent,
    GuardSpoke,
    HealthChanged,
    HoursTurned,
    Input,
    KillHeard,
    LinkLost,
    LinkRestored,
    Reported,
    SliceClosed,
    StopRequested,
)
from services.runner.core.pursue import Unfit, closing_reason, keys, wish_for
from services.runner.core.reconcile import compared, in_words
from services.runner.core.release import is_sent, release
from services.runner.core.sizing import dust_of
from services.runner.core.state import State
from services.runner.core.telling import Telling
from services.runner.core.todo import is_new_kill
from services.runner.strategies.port import Stance
from shared.domain import portfolio
from shared.domain.portfolio import Key
from shared.schemas.envelope import Event
from shared.schemas.guard import FlattenOrdered, Halt, TradingHalted
from shared.schemas.identity import Cause
from shared.schemas.lifecycle import Checkpoint, CheckpointDetails
from shared.schemas.market import CandleClosed, EquityMarked, MarkDetails, Signal, SignalRaised
from shared.schemas.orders import (
    AccountReconciled,
    DustLeft,
    OrderAccepted,
    OrderApproved,
    OrderCancelled,
    OrderFilled,
    OrderIntended,
    OrderReconciled,
    OrderRejected,
    OrderReleased,
    OrderUnknown,
    Reason,
    Rejection,
    VenueObserved,
)
from shared.schemas.trusted import trusted
from shared.schemas.values import Side
from shared.venues.port import Accepted, Cancelled, Filled, Reconciled, Rejected, Report, Unclear
from shared.venues.statement import Statement


def handle(state: State, given: Input, cause: Cause) -> tuple[State, Sequence[Event]]:
    """The state after `given`, and the facts that it led to, on which the state has evolved already."""
    telling = Telling(state, cause)
    match given:
        case SliceClosed():
            _slice_closed(telling, given)
        case Reported():
            reported(telling, given.reports)
            if not (given.reports and all(isinstance(report, Accepted) for report in given.reports)):
                _pursue(telling, at_slice_end=False)
        case GuardSpoke():
            _guard_spoke(telling, given.event)
        case KillHeard():
            _kill_heard(telling, given)
        case GuardSilent():
            _guard_silent(telling, given)
        case GuardHeard():
            _tell_guard(telling, "pass", "the guard is heard again")
        case StopRequested():
            _stop_requested(telling, given.reason)
        case AccountObserved():
            telling.tell(VenueObserved, details=given.account)
        case CallFailed() | CallSucceeded() | LinkLost() | LinkRestored():
            troubles.tell(telling, given)
        case Examined(statement):
            _examined(telling, statement)
        case HealthChanged():
            tell_health(telling, given)
        case HoursTurned(turned):
            hours.tell_hours(telling, turned)
            _pursue(telling, at_slice_end=False)
            _tell_waiting(telling)
    release(telling)
    return telling.state, telling.told


def _slice_closed(telling: Telling, given: SliceClosed) -> None:
    for candle in given.candles:
        telling.tell(CandleClosed, phase="strategy_phase" if given.warmup else "api_phase", details=candle)
    if given.warmup:
        return
    reported(telling, given.reports)
    _mark(telling, given)
    conclude(telling)


def conclude(telling: Telling) -> None:
    """Tell what a slice leads to once the account is marked: the strategies' new stances, then the orders."""
    _raise_signals(telling)
    _pursue(telling, at_slice_end=not (telling.state.unguarded or _is_late(telling)))


def _is_late(telling: Telling) -> bool:
    """Whether the slice comes so late that nothing new is to be risked on it: later than an approval stays valid.

    The strategies hear it, positions are closed and protected; what is to be entered waits for a slice in time.
    """
    config, closed = telling.state.plan.config, telling.state.market_time
    return config.is_live and closed is not None and telling.timestamp - closed > config.risk.approval_ttl


def _mark(telling: Telling, given: SliceClosed) -> None:
    state = telling.state
    awaits_guard = bool(state.orders) and not state.unguarded
    details = {"close_time": given.candles[0].close_time, "awaits_guard": awaits_guard}
    telling.tell(
        EquityMarked,
        metrics=portfolio.metrics(portfolio.marked(state.portfolio)),
        details=trusted(MarkDetails, details),
    )


def _raise_signals(telling: Telling) -> None:
    for (strategy, symbol), stance in telling.state.fresh.items():
        close = telling.state.portfolio.closes[symbol]
        telling.tell(SignalRaised, **signalled((strategy, symbol), stance, close))


def signalled(key: Key, stance: Stance, close: Decimal) -> dict[str, Any]:
    """What `signal_raised` says of a new stance, decided at `close`."""
    strategy, symbol = key
    signal = {"strategy": strategy, "symbol": symbol, "weight": stance.weight, "reason": stance.reason, "price": close}
    return {"details": trusted(Signal, signal), "message": f"{symbol}: {stance.reason}"}


def _pursue(telling: Telling, *, at_slice_end: bool) -> None:
    for key in keys(telling.state) if at_slice_end else tuple(telling.state.portfolio.positions):
        wish = wish_for(telling.state, key, at_slice_end=at_slice_end)
        if isinstance(wish, Unfit):
            seen = CheckpointDetails(name=f"{SIZING}{' '.join(wish.key)}", observed=wish.reason)
            telling.tell(Checkpoint, status="fail", level="warning", details=seen)
        elif wish is not None:
            telling.tell(OrderIntended, order=wish)


def reported(telling: Telling, reports: Sequence[Report]) -> None:
    """Tell what the venue reports: one fact each."""
    for report in reports:
        match report:
            case Accepted(order):
                telling.tell_of(order.client_order_id, OrderAccepted, order=order)
            case Rejected(order, reason, never_sent):
                why = Rejection(reason=reason, never_sent=never_sent or None)
                telling.tell_of(order.client_order_id, OrderRejected, order=order, details=why)
            case Filled(fill):
                telling.tell_of(fill.client_order_id, OrderFilled, order=fill)
            case Cancelled(order, reason):
                telling.tell_of(order.client_order_id, OrderCancelled, order=order, details=Reason(reason=reason))
            case Unclear(order, reason):
                telling.tell_of(order.client_order_id, OrderUnknown, order=order, details=Reason(reason=reason))
            case Reconciled(order, reason):
                telling.tell_of(order.client_order_id, OrderReconciled, order=order, details=Reason(reason=reason))
    for key in dict.fromkeys(_may_leave_dust(report) for report in reports):
        if key is not None:
            _tell_dust(telling, key)


def _tell_dust(telling: Telling, key: Key) -> None:
    left = dust_of(telling.state, key)
    if left is not None:
        telling.tell(DustLeft, details=left, message=f"{left.qty:f} {left.symbol} is dust: {left.reason}")


def _may_leave_dust(report: Report) -> Key | None:
    """Whose position may be down to dust after `report`: a sale, or an order's end."""
    match report:
        case Filled(fill) if fill.side is Side.SELL:
            return (fill.strategy, fill.symbol)
        case Cancelled(order, _) | Reconciled(order, _):
            return (order.strategy, order.symbol)
    return None


def _guard_spoke(telling: Telling, event: Event) -> None:
    telling.state = evolve(telling.state, event)
    if isinstance(event, OrderFilled) and event.order.side is Side.SELL:
        _tell_dust(telling, (event.order.strategy, event.order.symbol))
    if not (isinstance(event, OrderApproved | OrderReleased) and is_sent(telling, event)):
        _pursue(telling, at_slice_end=False)
    if isinstance(event, FlattenOrdered | TradingHalted):
        _tell_waiting(telling)


def _kill_heard(telling: Telling, given: KillHeard) -> None:
    command = given.command
    if not is_new_kill(telling.state, command):
        return
    reason = command.reason()
    halt = Halt(
        kind="kill",
        reason=reason,
        scope="session" if command.session_id else "stack",
        control_sequence=command.sequence,
    )
    telling.tell(TradingHalted, level="error", details=halt, message=f"killed: {reason}")
    _pursue(telling, at_slice_end=False)
    _tell_waiting(telling)


def _guard_silent(telling: Telling, given: GuardSilent) -> None:
    if telling.state.halt is None and telling.state.enabled:
        halt = Halt(kind="limit", reason=given.reason, operator="runner", conditions=(given.missing,))
        telling.tell(TradingHalted, level="error", details=halt, message=f"trading halted: {given.reason}")
    if given.missing == "guard" and not telling.state.unguarded:
        _tell_guard(telling, "fail", given.reason)


def _tell_guard(telling: Telling, status: Literal["pass", "fail"], observed: str) -> None:
    level = "error" if status == "fail" else "info"
    telling.tell(Checkpoint, status=status, level=level, details=CheckpointDetails(name=GUARD, observed=observed))


def _examined(telling: Telling, statement: Statement) -> None:
    found = compared(telling.state, statement)
    news = found.foreign_orders or found.foreign_trades
    level = "error" if found.confirmed else "warning" if found.differences or news else "info"
    status = "fail" if found.differences else "pass"
    telling.tell(AccountReconciled, status=status, level=level, message=in_words(found), details=found)


def _stop_requested(telling: Telling, reason: str) -> None:
    if telling.state.stopping:
        return
    telling.tell(Checkpoint, status="pass", details=CheckpointDetails(name=STOPPING, observed=reason), message=reason)
    _pursue(telling, at_slice_end=False)
    _tell_waiting(telling)


def _tell_waiting(telling: Telling) -> None:
    """Say so where a position that is to be closed has to wait for the exchange."""
    state = telling.state
    reasons = {key[1]: reason for key in state.portfolio.positions if (reason := closing_reason(state, key))}
    hours.tell_waiting(telling, reasons)
