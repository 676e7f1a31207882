"""When US stocks trade: the regular and the extended hours, as Alpaca's calendar tells them.

Half days and holidays are the calendar's; its times are Eastern, with that zone's daylight saving. In extended hours,
before the opening and after the close, orders must be limits that ask for it, and no stop works.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.schemas.market import ExchangeStanding

EASTERN = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class Hours:
    """Each trading day's opening and close, oldest first; a close is the first moment that no longer belongs to it.

    `extended` are the same days with their extended hours.
    """

    days: tuple[tuple[datetime, datetime], ...]
    extended: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def at_length(self) -> "Hours":
        """The days with their extended hours."""
        return Hours(self.extended)

    def open_at(self, at: datetime) -> bool:
        """Whether stocks trade at that moment."""
        return any(opens <= at < closes for opens, closes in self.days)

    def next_open(self, at: datetime) -> datetime | None:
        """The first opening after that moment; None where it is not known yet."""
        return next((opens for opens, _ in self.days if opens > at), None)

    def standing_at(
        self, at: datetime, flat_before: timedelta, *, extended: bool = False
    ) -> tuple[ExchangeStanding, datetime | None]:
        """How the exchange stands at that moment, `closing` for `flat_before` up to its close, and until when.

        Only who trades in `extended` hours, too, is told of them.
        """
        ends = next((closes for opens, closes in self.extended if opens <= at < closes), None) if extended else None
        closes = next((closes for opens, closes in self.days if opens <= at < closes), None)
        if closes is None and ends is not None:
            return "extended", min(filter(None, (self.next_open(at), ends)))
        if closes is None:
            return "closed", (self.at_length if extended else self).next_open(at)
        return "closing" if at >= closes - flat_before else "open", closes

    def touch(self, start: datetime, end: datetime) -> bool:
        """Whether stocks trade at any moment between two."""
        return any(opens < end and start < closes for opens, closes in self.days)


def hours_of(calendar: Iterable[Mapping[str, str]]) -> Hours:
    """The hours in the answer of `/v2/calendar`."""
    days = tuple(calendar)
    extended = tuple((_at(day, "session_open"), _at(day, "session_close")) for day in days if "session_open" in day)
    return Hours(tuple((_at(day, "open"), _at(day, "close")) for day in days), extended)


def _at(day: Mapping[str, str], name: str) -> datetime:
    return datetime.combine(date.fromisoformat(day["date"]), time.fromisoformat(day[name]), EASTERN)
