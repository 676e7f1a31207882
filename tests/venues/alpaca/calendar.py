"""The exchange's trading days and hours, in Eastern time with its daylight saving."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
OPEN, CLOSE, EARLY_CLOSE = time(9, 30), time(16), time(13)
EXTENDED_OPEN, EXTENDED_CLOSE = time(4), time(20)
SATURDAY = 5


class Session(NamedTuple):
    """A trading day's regular hours; both moments are aware."""

    day: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class Calendar:
    """Weekdays are trading days except `holidays`; on `half_days` the exchange closes at 13:00."""

    holidays: frozenset[date] = field(default_factory=frozenset)
    half_days: frozenset[date] = field(default_factory=frozenset)

    def session(self, day: date) -> Session | None:
        """The day's regular hours, None where there are none."""
        if day.weekday() >= SATURDAY or day in self.holidays:
            return None
        close = EARLY_CLOSE if day in self.half_days else CLOSE
        return Session(day, datetime.combine(day, OPEN, EASTERN), datetime.combine(day, close, EASTERN))

    def sessions(self, start: date, end: date) -> list[Session]:
        """Every trading day from `start` to `end`, both included."""
        days = (start + timedelta(days=n) for n in range((end - start).days + 1))
        return [session for day in days if (session := self.session(day))]

    def is_open(self, at: datetime) -> bool:
        """Whether regular trading goes on at that moment."""
        session = self.session(at.astimezone(EASTERN).date())
        return session is not None and session.opens <= at < session.closes

    def is_extended(self, at: datetime) -> bool:
        """Whether orders for extended hours trade: 4:00 to 20:00 on a trading day."""
        local = at.astimezone(EASTERN)
        return self.session(local.date()) is not None and EXTENDED_OPEN <= local.time() < EXTENDED_CLOSE

    def next_open(self, at: datetime) -> datetime:
        """The first opening after that moment."""
        return next(session.opens for session in self._from(at) if session.opens > at)

    def next_close(self, at: datetime) -> datetime:
        """The first close after that moment."""
        return next(session.closes for session in self._from(at) if session.closes > at)

    def day_order_ends(self, at: datetime, *, extended: bool) -> datetime:
        """When an order that is good for the day expires if it comes in at that moment."""
        if extended and self.is_extended(at):
            return datetime.combine(at.astimezone(EASTERN).date(), EXTENDED_CLOSE, EASTERN)
        return self.next_close(at)

    def _from(self, at: datetime) -> list[Session]:
        day = at.astimezone(EASTERN).date()
        return self.sessions(day, day + timedelta(days=14))
