"""When new risk may be taken."""

from datetime import datetime
from zoneinfo import ZoneInfo

from shared.schemas.session import Schedule

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open(schedule: Schedule, instant: datetime) -> bool:
    """Whether `instant` lies in the schedule. A window that ends before it starts runs past midnight.

    The weekday of such a night is the one on which its window began.
    """
    if schedule.is_always_open:
        return True
    local = instant.astimezone(ZoneInfo(schedule.time_zone))
    today = _WEEKDAYS[local.weekday()]
    if schedule.start is None or schedule.stop is None:
        return today in schedule.weekdays
    clock = local.time()
    if schedule.start < schedule.stop:
        return today in schedule.weekdays and schedule.start <= clock < schedule.stop
    yesterday = _WEEKDAYS[local.weekday() - 1]
    return (today in schedule.weekdays and clock >= schedule.start) or (
        yesterday in schedule.weekdays and clock < schedule.stop
    )
