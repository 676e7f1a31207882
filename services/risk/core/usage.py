"""How much of each limit a session uses at this moment."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from services.risk.core.state import MINUTE, Guard
from services.risk.limits.excess import share_of, written
from shared.domain.portfolio import ZERO
from shared.schemas.session import RiskLimits, spelled
from shared.schemas.values import plain

_NO_LIMITS = frozenset({"day_time_zone", "approval_ttl", "kill_patience", "resume_when_restored"})


class Use(NamedTuple):
    """A limit of the session file and its bound; its present use and what is left, None where orders are measured.

    `share` is the part of the bound that is in use, None where there is none or nothing is left to divide by.
    """

    limit: str
    bound: str
    used: str | None
    headroom: str | None
    share: Decimal | None = None


LIMITS = tuple(name for name in RiskLimits.model_fields if name not in _NO_LIMITS)
"""Every limit there is, in the order of the session file."""


def limits_in_use(guard: Guard, now: datetime) -> list[Use]:
    """Every limit of the session at `now`, in the order of the session file; none before it has started."""
    if guard.config is None:
        return []
    used, limits = {**dict(_used(guard)), **dict(_ages(guard, now))}, guard.config.risk
    return [_use(name, getattr(limits, name), used.get(name)) for name in LIMITS]


def _use(name: str, bound: object, used: Decimal | timedelta | str | None) -> Use:
    if isinstance(used, timedelta):
        return _aged(name, bound, used)
    if not isinstance(used, Decimal):
        return Use(name, bound_of(bound), used, None)
    if not isinstance(bound, int | Decimal):
        return Use(name, bound_of(bound), written(used), None)
    share = used / Decimal(bound) if bound else None
    return Use(name, bound_of(bound), written(used), written(max(Decimal(bound) - used, ZERO)), share)


def _aged(name: str, bound: object, age: timedelta) -> Use:
    if not isinstance(bound, timedelta):
        return Use(name, bound_of(bound), spelled(age), None)
    share = Decimal(age / bound) if bound else None
    return Use(name, bound_of(bound), spelled(age), spelled(max(bound - age, timedelta())), share)


def _ages(guard: Guard, now: datetime) -> Iterator[tuple[str, timedelta | str]]:
    """How old the market's last word is, by the session's own clock, and how long an order's fate has been unknown."""
    present = now if guard.config is not None and guard.config.is_live else guard.market_time
    last = max(guard.closed_at.values(), default=None)
    yield "max_data_age", "no candle yet" if last is None else _seconds(present - last)
    yield "max_unknown_age", _seconds(now - min(guard.conditions.unknown.values(), default=now))


def _seconds(age: timedelta) -> timedelta:
    return timedelta(seconds=max(age // timedelta(seconds=1), 0))


def _used(guard: Guard) -> Iterator[tuple[str, Decimal | str]]:
    account, book, watch = guard.portfolio, guard.book, guard.watch
    equity = account.equity
    symbols = {symbol for _, symbol in account.positions} | {order.ticket.symbol for order in book.working.values()}
    largest = max((_value(guard, symbol) for symbol in symbols), default=ZERO)
    recent = sum(1 for at in guard.approvals if at > guard.market_time - MINUTE)
    yield "max_position_size", _share(largest, equity)
    yield "max_open_exposure", _share(account.exposure + book.buying(), equity)
    yield "daily_loss_limit", _share(max(watch.day_base - equity, ZERO), watch.day_base)
    yield "max_drawdown_limit", _share(max(watch.peak - equity, ZERO), watch.peak)
    yield "max_open_orders", Decimal(len(book.working))
    yield "max_orders_per_minute", Decimal(recent)
    yield "max_api_errors", Decimal(watch.api_errors)


def _share(amount: Decimal, equity: Decimal) -> Decimal | str:
    return amount / equity if equity > 0 else share_of(amount, equity)


def _value(guard: Guard, symbol: str) -> Decimal:
    close = guard.portfolio.closes.get(symbol, ZERO)
    return guard.portfolio.quantity(symbol) * close + guard.book.buying(symbol)


def bound_of(limit: object) -> str:
    """A limit as the session file writes it."""
    if limit is None:
        return "off"
    if isinstance(limit, Decimal):
        return plain(limit.normalize())
    if isinstance(limit, timedelta):
        return spelled(limit)
    return ", ".join(limit) if isinstance(limit, tuple) else str(limit)
