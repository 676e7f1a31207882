"""The guard of a backtest that passes over slices: its books move on, and where it might speak it is asked in full."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from services.risk.core import book as books
from services.risk.core import marks, surveillance
from services.risk.core.fold import evolve
from services.risk.core.state import MINUTE
from services.risk.core.state import Guard as Guard
from services.risk.core.verdicts import approve, broken_rule, judge
from services.risk.limits.pricing import highest_price
from services.risk.limits.rules import broken_standing_rules
from services.risk.limits.slippage import realised_slippage
from services.risk.limits.standing import Standing
from services.runner.backtest import sealed
from services.runner.skimming.equity import MARGIN, Range
from shared.domain.portfolio import ZERO, Portfolio
from shared.schemas.envelope import Event
from shared.schemas.orders import Fill, OrderApproved, OrderFilled, OrderIntended, Ticket

AMPLE = 0.01
"""How much further than needed the limits are tried, so that they need not be tried again soon."""


def valued(guard: Guard, account: Portfolio, equity: Decimal, symbols: Iterable[str], at: datetime) -> Guard:
    """The guard after a slice that closed at `at`, once it is marked.

    `account` is the runner's with its `equity`: while nothing unusual happens the guard's own books show the same.
    """
    watch = marks.marked(guard.watch, equity, at, guard.config.risk.day_time_zone if guard.config else "UTC")
    closed_at = {**guard.closed_at, **dict.fromkeys(symbols, at)}
    return guard._replace(portfolio=account, closed_at=closed_at, market_time=at, watch=watch)


def counted(guard: Guard, fact: Event) -> Guard | None:
    """The guard's orders after what the venue reported; None where it has something to say to it."""
    if not isinstance(fact, OrderFilled):
        return evolve(guard, fact)
    if books.seen(guard.book, fact.order) or surveillance.on_fill(guard, fact):
        return None
    return guard._replace(book=books.filled(guard.book, fact.order))


def approval(guard: Guard, intent: OrderIntended) -> tuple[Guard, OrderApproved | None]:
    """The guard's approval and the guard that has given it; None where it has another word for the intent."""
    verdicts = judge(guard, intent, sealed)
    if len(verdicts) != 1 or not isinstance(verdicts[0], OrderApproved):
        return guard, None
    return evolve(guard, verdicts[0]), verdicts[0]


def is_approved(guard: Guard, ticket: Ticket, at: datetime) -> bool:
    """Whether the order breaks no rule at market time `at`."""
    return guard.config is not None and broken_rule(guard, guard.config, ticket, at) is None


def approved(guard: Guard, intent: OrderIntended) -> Sequence[Event]:
    """The guard's word for an intent that is approved."""
    return approve(guard.config, intent, sealed) if guard.config else ()


def outlived(guard: Guard, ticket: Ticket, fill: Fill, decided_at: datetime) -> Guard | None:
    """The guard after an order that it approved has filled whole; None where it has something to say to the fill."""
    if guard.config is None or realised_slippage(fill, guard.config.risk) is not None:
        return None
    price = highest_price(ticket, guard.portfolio.closes.get(ticket.symbol))
    order = books.Order(ticket, price, ZERO, frozenset({fill.trade_id}))
    recent = (at for at in guard.approvals if at > decided_at - MINUTE)
    return guard._replace(book=books.remembered(guard.book, order), approvals=(*recent, decided_at))


class Leeway:
    """Knows how far the equity may move without a limit that is watched being crossed.

    Every such limit is the more broken the lower the equity and the higher its peak.
    """

    def __init__(self) -> None:
        self._of: object = None
        self._safe = Range(0.0, 0.0)

    def allows(self, guard: Guard, found: Range) -> bool:
        """Whether no limit that has not been told yet is crossed while the equity stays within `found`."""
        of = (guard.watch.day_base, guard.watch.tripped, guard.config)
        if self._of != of:
            self._of, self._safe = of, Range(float("inf"), 0.0)
        high = max(found.high, float(guard.watch.peak))
        if self._safe.low <= found.low and high <= self._safe.high:
            return True
        for spread in (AMPLE, MARGIN):
            wide = Range(found.low * (1 - spread), high * (1 + spread))
            if _is_safe(guard, wide):
                self._safe = wide
                return True
        return False


def _is_safe(guard: Guard, found: Range) -> bool:
    if guard.config is None:
        return False
    worst = Standing(Decimal(found.low), guard.watch.day_base, Decimal(found.high), guard.watch.api_errors)
    broken = broken_standing_rules(worst, guard.config.risk)
    return all(excess.rule in guard.watch.tripped for excess in broken)
