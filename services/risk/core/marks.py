"""The marks that losses are measured from."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.risk.core.state import UNKNOWN_TIME, Watch


def opened(equity: Decimal) -> Watch:
    """The marks of an account that starts with `equity`."""
    return Watch(equity=equity, day_base=equity, peak=equity)


def marked(watch: Watch, equity: Decimal, at: datetime, zone: str) -> Watch:
    """The marks after the account was valued at `equity` at market time `at`; days begin at midnight in `zone`."""
    if at >= watch.day_ends:
        watch = _new_day(watch, equity, at, ZoneInfo(zone))
    if equity is watch.equity:
        return watch
    return watch._replace(equity=equity, peak=max(watch.peak, equity))


def rearmed(watch: Watch) -> Watch:
    """The marks after an operator's resume: every limit is measured anew from the present equity."""
    return Watch(watch.equity, watch.equity, watch.equity, watch.day_ends)


def _new_day(watch: Watch, equity: Decimal, at: datetime, zone: ZoneInfo) -> Watch:
    local = at.astimezone(zone)
    tomorrow = datetime.combine(local.date() + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    first_ever = watch.day_ends == UNKNOWN_TIME
    base = equity if local.time() == time() and not first_ever else watch.equity
    return watch._replace(day_ends=tomorrow, day_base=base)
