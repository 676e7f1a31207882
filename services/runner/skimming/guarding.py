"""The guard of a backtest that passes over slices: its books move on, and where it might speak it is asked in full."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from services.risk.core import surveillance
from services.risk.core.fold import evolve, marked
from services.risk.core.state import Guard
from services.risk.limits.rules import broken_standing_rules
from services.risk.limits.standing import Standing
from services.runner.core.glimpse import Glimpse
from services.runner.skimming.equity import MARGIN, Range
from shared.domain.portfolio import with_closes
from shared.schemas.envelope import Event
from shared.schemas.orders import OrderFilled

AMPLE = 0.01
"""How much further than needed the limits are tried, so that they need not be tried again soon."""


def moved(guard: Guard, closes: Mapping[str, Decimal], at: datetime) -> Guard:
    """The guard after the candles of a slice that closed at `at`."""
    closed_at = {**guard.closed_at, **dict.fromkeys(closes, at)}
    return guard._replace(portfolio=with_closes(guard.portfolio, closes), closed_at=closed_at, market_time=at)


def valued(guard: Guard, at: datetime) -> Guard:
    """The guard after a mark at `at`."""
    return marked(guard, guard.config, at) if guard.config else guard


class Leeway:
    """Knows how far the equity may move without a limit that is watched being crossed.

    Every such limit is the more broken the lower the equity and the higher its peak.
    """

    def __init__(self) -> None:
        self._of: object = None
        self._safe = Range(0.0, 0.0)

    def heard(self, guard: Guard, seen: Glimpse, reported: Sequence[Event], equity: float) -> Guard | None:
        """The guard after a slice's candles, reports and mark; None where it has something to say to them."""
        guard = moved(guard, seen.closes, seen.close_time)
        for fact in reported:
            guard = evolve(guard, fact)
            if isinstance(fact, OrderFilled) and surveillance.on_fill(guard, fact):
                return None
        guard = valued(guard, seen.close_time)
        return guard if self.allows(guard, Range(equity, equity)) else None

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
