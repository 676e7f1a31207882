"""How much of each limit a session uses at this moment."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from services.risk.core.fold import MINUTE
from services.risk.core.state import Guard
from services.risk.limits.excess import share_of, written
from shared.domain.portfolio import ZERO
from shared.schemas.session import RiskLimits

_NO_LIMITS = frozenset({"day_time_zone", "approval_ttl", "kill_patience", "resume_when_restored"})


class Use(NamedTuple):
    """A limit of the session file, its bound and its present use, None where only single orders are measured."""

    limit: str
    bound: str
    used: str | None


def limits_in_use(guard: Guard) -> list[Use]:
    """Every limit of the session, in the order of the session file; none before it has started."""
    if guard.config is None:
        return []
    used = dict(_used(guard))
    limits = guard.config.risk
    names = [name for name in RiskLimits.model_fields if name not in _NO_LIMITS]
    return [Use(name, _bound(getattr(limits, name)), used.get(name)) for name in names]


def _used(guard: Guard) -> Iterator[tuple[str, str]]:
    account, book, watch = guard.portfolio, guard.book, guard.watch
    equity = account.equity
    symbols = {symbol for _, symbol in account.positions} | {order.ticket.symbol for order in book.working.values()}
    largest = max((_value(guard, symbol) for symbol in symbols), default=ZERO)
    recent = sum(1 for at in guard.approvals if at > guard.market_time - MINUTE)
    yield "max_position_size", share_of(largest, equity)
    yield "max_open_exposure", share_of(account.exposure + book.buying(), equity)
    yield "daily_loss_limit", share_of(max(watch.day_base - equity, ZERO), watch.day_base)
    yield "max_drawdown_limit", share_of(max(watch.peak - equity, ZERO), watch.peak)
    yield "max_open_orders", str(len(book.working))
    yield "max_orders_per_minute", str(recent)
    yield "max_api_errors", str(watch.api_errors)
    if guard.conditions.unknown:
        oldest = min(guard.conditions.unknown.values())
        yield "max_unknown_age", f"since {oldest:%H:%M:%S}"


def _value(guard: Guard, symbol: str) -> Decimal:
    close = guard.portfolio.closes.get(symbol, ZERO)
    return guard.portfolio.quantity(symbol) * close + guard.book.buying(symbol)


def _bound(limit: object) -> str:
    if limit is None:
        return "off"
    if isinstance(limit, Decimal):
        return written(limit)
    return ", ".join(limit) if isinstance(limit, tuple) else str(limit)
