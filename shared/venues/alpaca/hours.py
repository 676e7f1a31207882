"""When US stocks trade: the regular hours, as Alpaca's calendar tells them.

Half days and holidays are the calendar's; its times are Eastern, with that zone's daylight saving. Extended hours are
left alone: orders in them must be limits, and a protective stop does not work in them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.schemas.market import ExchangeStanding

EASTERN = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class Hours:
    """Each trading day's opening and close, oldest first; a close is the first moment that no longer belongs to it."""

    days: tuple[tuple[datetime, datetime], ...]

    def open_at(self, at: datetime) -> bool:
        """Whether stocks trade at that moment."""
        return any(opens <= at < closes for opens, closes in self.days)

    def next_open(self, at: datetime) -> datetime | None:
        """The first opening after that moment; None where it is not known yet."""
        return next((opens for opens, _ in self.days if opens > at), None)

    def standing_at(self, at: datetime, flat_before: timedelta) -> tuple[ExchangeStanding, datetime | None]:
        """How the exchange stands at that moment, `closing` for `flat_before` up to its close, and until when."""
        closes = next((closes for opens, closes in self.days if opens <= at < closes), None)
        if closes is None:
            return "closed", self.next_open(at)
        return "closing" if at >= closes - flat_before else "open", closes

    def touch(self, start: datetime, end: datetime) -> bool:
        """Whether stocks trade at any moment between two."""
        return any(opens < end and start < closes for opens, closes in self.days)


def hours_of(calendar: Iterable[Mapping[str, str]]) -> Hours:
    """The regular hours in the answer of `/v2/calendar`."""
    return Hours(tuple((_at(day, "open"), _at(day, "close")) for day in calendar))


def _at(day: Mapping[str, str], name: str) -> datetime:
    return datetime.combine(date.fromisoformat(day["date"]), time.fromisoformat(day[name]), EASTERN)
