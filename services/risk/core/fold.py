"""How each fact changes what the guard knows. Total and silent: facts that don't concern it change nothing."""

from collections.abc import Callable
from typing import Any

from services.risk.core import book as books
from services.risk.core import halts, marks
from services.risk.core.adjusting import changed_limits, with_ceiling
from services.risk.core.state import MINUTE, NOT_ENABLED, AtVenue, Guard
from services.risk.limits.pricing import highest_price
from shared.domain import portfolio as accounts
from shared.schemas.envelope import Event
from shared.schemas.guard import (
    BackstopEngaged,
    KillConfirmed,
    LimitBreached,
    LimitChanged,
    TradingHalted,
    TradingResumed,
)
from shared.schemas.lifecycle import Checkpoint, ConnectionLost, ConnectionRestored, ErrorRaised, RunnerStart
from shared.schemas.market import CandleClosed, EquityMarked
from shared.schemas.orders import (
    AccountReconciled,
    DustLeft,
    OrderAccepted,
    OrderApproved,
    OrderCancelled,
    OrderFilled,
    OrderReconciled,
    OrderRefused,
    OrderRejected,
    OrderReleased,
    OrderSubmitted,
    OrderUnknown,
)

CLOCK = "clock"
"""The runner's check of its clock against the venue's."""
_GONE = frozenset({"rejected", "cancelled", "expired", "filled"})


def evolve(guard: Guard, event: Event) -> Guard:
    """What the guard knows after `event`."""
    fold = _FOLDS.get(type(event))
    return fold(guard, event) if fold else guard


def _started(guard: Guard, event: RunnerStart) -> Guard:
    if guard.started_by is not None:
        return guard
    config = event.details.config
    if event.details.mode == "live":
        config = config.model_copy(update={"risk": with_ceiling(config.risk)})
    return guard._replace(
        config=config,
        portfolio=accounts.opened(config.initial_capital, config.quote),
        market_time=event.market_time,
        watch=marks.opened(config.initial_capital),
        started_by=event.id,
        venue=AtVenue(event.details.mode, {held.symbol: held.qty for held in event.details.holdings_before}),
    )


def _candle(guard: Guard, event: CandleClosed) -> Guard:
    candle = event.details
    # Spelled out because a backtest does this for every bar: `_replace` costs twice as much.
    return Guard(
        guard.session_id,
        guard.config,
        accounts.with_close(guard.portfolio, candle.symbol, candle.close),
        {**guard.closed_at, candle.symbol: candle.close_time},
        event.market_time,
        guard.halt,
        guard.book,
        guard.watch,
        guard.approvals,
        guard.started_by,
        guard.cleared,
        guard.venue,
        guard.conditions,
    )


def _marked(guard: Guard, event: EquityMarked) -> Guard:
    if event.service != "runner" or guard.config is None:
        return guard
    account = accounts.marked(guard.portfolio)
    zone = guard.config.risk.day_time_zone
    watch = marks.marked(guard.watch, account.equity, event.details.close_time, zone)
    if account is guard.portfolio and watch is guard.watch:
        return guard
    return guard._replace(portfolio=account, watch=watch)


def _approved(guard: Guard, event: OrderApproved) -> Guard:
    ticket = event.order
    if guard.book.known(ticket.client_order_id):
        return guard
    price = highest_price(ticket, guard.portfolio.closes.get(ticket.symbol))
    recent = tuple(at for at in guard.approvals if at > event.market_time - MINUTE)
    return guard._replace(book=books.approved(guard.book, ticket, price), approvals=(*recent, event.market_time))


def _released(guard: Guard, event: OrderReleased) -> Guard:
    """What went without this guard's word stands at the venue as if it had been approved."""
    price = highest_price(event.order, guard.portfolio.closes.get(event.order.symbol))
    recent = tuple(at for at in guard.approvals if at > event.market_time - MINUTE)
    book = books.released(guard.book, event.order, price)
    return guard._replace(book=book, approvals=(*recent, event.market_time))


def _refused(guard: Guard, event: OrderRefused) -> Guard:
    return guard._replace(book=books.refused(guard.book, event.order))


def _filled(guard: Guard, event: OrderFilled) -> Guard:
    if books.seen(guard.book, event.order):
        return guard
    guard = _known(guard, event.order.client_order_id)
    account, _ = accounts.with_fill(guard.portfolio, event.order, event.market_time)
    return guard._replace(portfolio=account, book=books.filled(guard.book, event.order))


def _dust(guard: Guard, event: DustLeft) -> Guard:
    key = (event.details.strategy, event.details.symbol)
    return guard._replace(portfolio=accounts.with_dust(guard.portfolio, key, event.market_time)[0])


def _accepted(guard: Guard, event: OrderAccepted) -> Guard:
    return guard._replace(watch=guard.watch._replace(api_errors=0)) if guard.watch.api_errors else guard


def _gone(guard: Guard, event: OrderCancelled | OrderRejected) -> Guard:
    guard = _known(guard, event.order.client_order_id)
    return guard._replace(book=books.ended(guard.book, event.order.client_order_id))


def _unknown(guard: Guard, event: OrderUnknown) -> Guard:
    seen = guard.conditions
    unknown = {event.order.client_order_id: event.timestamp, **seen.unknown}
    return guard._replace(conditions=seen._replace(unknown=unknown))


def _known(guard: Guard, name: str) -> Guard:
    seen = guard.conditions
    if name not in seen.unknown:
        return guard
    unknown = {other: since for other, since in seen.unknown.items() if other != name}
    return guard._replace(conditions=seen._replace(unknown=unknown))


def _statement(guard: Guard, event: AccountReconciled) -> Guard:
    """A venue that tells its books answers: failed calls are counted anew."""
    return guard._replace(watch=guard.watch._replace(api_errors=0)) if guard.watch.api_errors else guard


def _checked(guard: Guard, event: Checkpoint) -> Guard:
    if event.details.name != CLOCK:
        return guard
    seen = event.details.observed if event.status == "fail" else None
    return guard._replace(conditions=guard.conditions._replace(clock=seen))


def _lost(guard: Guard, event: ConnectionLost) -> Guard:
    if event.service != "runner":
        return guard
    seen = guard.conditions
    return guard._replace(conditions=seen._replace(lost=seen.lost | {event.details.peer}))


def _restored(guard: Guard, event: ConnectionRestored) -> Guard:
    if event.details.peer not in guard.conditions.lost:
        return guard
    seen = guard.conditions
    return guard._replace(conditions=seen._replace(lost=seen.lost - {event.details.peer}))


def _reconciled(guard: Guard, event: OrderReconciled) -> Guard:
    guard = _known(guard, event.order.client_order_id)
    if event.order.status not in _GONE:
        return guard
    return guard._replace(book=books.ended(guard.book, event.order.client_order_id))


def _failed(guard: Guard, event: ErrorRaised) -> Guard:
    if not event.details.api:
        return guard
    return guard._replace(watch=guard.watch._replace(api_errors=guard.watch.api_errors + 1))


def _breached(guard: Guard, event: LimitBreached) -> Guard:
    if event.level != "error":
        return guard
    return guard._replace(watch=guard.watch._replace(tripped=guard.watch.tripped | {event.details.limit}))


def _changed(guard: Guard, event: LimitChanged) -> Guard:
    if guard.config is None:
        return guard
    limits = changed_limits(guard.config.risk, event.details.limit, event.details.after)
    if isinstance(limits, str):
        return guard
    return guard._replace(config=guard.config.model_copy(update={"risk": limits}))


def _halted(guard: Guard, event: TradingHalted) -> Guard:
    command = event.details.control_sequence
    if command is not None and command <= guard.cleared:
        return guard
    guard = guard._replace(halt=halts.stronger(guard.halt, event.details))
    if event.details.kind != "kill" or guard.venue.kill is not None:
        return guard
    return guard._replace(venue=guard.venue._replace(kill=event.id))


def _resumed(guard: Guard, event: TradingResumed) -> Guard:
    guard = guard._replace(cleared=max(guard.cleared, event.details.control_sequence or 0))
    if guard.started_by is None:
        return guard._replace(halt=NOT_ENABLED)
    if guard.halt is None:
        return guard
    if event.details.restored:
        if not halts.is_conditional(guard.halt):
            return guard
        tripped = guard.watch.tripped - set(event.details.restored)
        return guard._replace(halt=None, watch=guard.watch._replace(tripped=tripped))
    venue = guard.venue._replace(kill=None, engaged=False, confirmed=False)
    return guard._replace(halt=None, watch=marks.rearmed(guard.watch), venue=venue)


def _engaged(guard: Guard, event: BackstopEngaged) -> Guard:
    return guard._replace(venue=guard.venue._replace(engaged=True))


def _confirmed(guard: Guard, event: KillConfirmed) -> Guard:
    return guard._replace(venue=guard.venue._replace(confirmed=event.status == "success"))


def _placed(guard: Guard, event: OrderSubmitted) -> Guard:
    """The guard approves the runner's orders, and nobody approves its own."""
    if event.service != "risk":
        return guard
    book = books.approved(guard.book, event.order, event.order.reference_price)
    return guard._replace(book=book, venue=guard.venue._replace(placed=guard.venue.placed + 1))


_FOLDS: dict[type[Event], Callable[[Guard, Any], Guard]] = {
    CandleClosed: _candle,
    EquityMarked: _marked,
    OrderApproved: _approved,
    OrderRefused: _refused,
    OrderReleased: _released,
    OrderFilled: _filled,
    DustLeft: _dust,
    OrderAccepted: _accepted,
    OrderCancelled: _gone,
    OrderRejected: _gone,
    OrderReconciled: _reconciled,
    ErrorRaised: _failed,
    LimitBreached: _breached,
    LimitChanged: _changed,
    TradingHalted: _halted,
    TradingResumed: _resumed,
    RunnerStart: _started,
    OrderSubmitted: _placed,
    BackstopEngaged: _engaged,
    OrderUnknown: _unknown,
    AccountReconciled: _statement,
    Checkpoint: _checked,
    ConnectionLost: _lost,
    ConnectionRestored: _restored,
    KillConfirmed: _confirmed,
}

FOLDED: frozenset[type[Event]] = frozenset(_FOLDS)
"""The facts that change what the guard knows."""
