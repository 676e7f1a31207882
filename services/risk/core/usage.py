"""How much of each limit a session uses at this moment."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from services.risk.core.state import MINUTE, Guard
from services.risk.limits.excess import share_of, written
from shared.domain.portfolio import ZERO
from shared.schemas.session import RiskLimits, spelled
from shared.schemas.values import plain

_NO_LIMITS = frozenset({"day_time_zone", "approval_ttl", "kill_patience", "resume_when_restored"})


class Use(NamedTuple):
    """A limit of the session file and its bound; its present use and what is left, None where orders are measured."""

    limit: str
    bound: str
    used: str | None
    headroom: str | None


LIMITS = tuple(name for name in RiskLimits.model_fields if name not in _NO_LIMITS)
"""Every limit there is, in the order of the session file."""


def limits_in_use(guard: Guard) -> list[Use]:
    """Every limit of the session, in the order of the session file; none before it has started."""
    if guard.config is None:
        return []
    used, limits = dict(_used(guard)), guard.config.risk
    return [_use(name, getattr(limits, name), used.get(name)) for name in LIMITS]


def _use(name: str, bound: object, used: Decimal | str | None) -> Use:
    if not isinstance(used, Decimal):
        return Use(name, bound_of(bound), used, None)
    headroom = written(max(Decimal(bound) - used, ZERO)) if isinstance(bound, int | Decimal) else None
    return Use(name, bound_of(bound), written(used), headroom)


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
    if guard.conditions.unknown:
        oldest = min(guard.conditions.unknown.values())
        yield "max_unknown_age", f"since {oldest:%H:%M:%S}"


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
