"""The stock exchange's calendar and clock, asked for when they are needed and kept for an hour.

An exit may wait for them, so they are urgent.
"""

from datetime import date, datetime, timedelta

from shared.runtime import clock
from shared.venues.alpaca.client import Client, told_as_trouble
from shared.venues.alpaca.hours import Hours, hours_of

_KEPT_SECONDS = 3600.0
"""A day can still become a half day."""
_AHEAD, _DAY = timedelta(days=10), timedelta(days=1)


class Calendar:
    """Regular trading hours, and the venue's time by which they hold; `known` is what was last asked for."""

    def __init__(self, client: Client) -> None:
        self.known = Hours(())
        self._client = client
        self._offset: timedelta | None = None
        self._first, self._last = date.max, date.min
        self._asked = 0.0

    async def now(self) -> datetime:
        """The venue's time: our clock's, corrected by how far it was off when it was first asked for."""
        if self._offset is None:
            before = clock.now()
            told = await self._client.trading("GET", "/clock", urgent=True)
            after = clock.now()
            with told_as_trouble():
                self._offset = datetime.fromisoformat(told["timestamp"]) - before - (after - before) / 2
        return clock.now() + self._offset

    async def hours(self) -> Hours:
        """The hours around the venue's now."""
        now = await self.now()
        return await self.hours_between(now, now)

    async def hours_between(self, start: datetime, end: datetime) -> Hours:
        """The hours of all days from `start` to `end` at least."""
        first, last = (start - _DAY).date(), (end + _DAY).date()
        if first < self._first or last > self._last or clock.monotonic() - self._asked > _KEPT_SECONDS:
            await self._ask(min(first, self._first), max((end + _AHEAD).date(), self._last))
        return self.known

    async def _ask(self, first: date, last: date) -> None:
        asked = {"start": first.isoformat(), "end": last.isoformat()}
        told = await self._client.trading("GET", "/calendar", asked, urgent=True)
        with told_as_trouble():
            self.known = hours_of(told)
        self._first, self._last, self._asked = first, last, clock.monotonic()
