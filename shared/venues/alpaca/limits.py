"""How many requests Alpaca takes in a minute, counted apart for the account and for the market's data.

Sources: "usage limit" of Alpaca's support and the plans of its market data: 200 each, unless a plan has more. Every
answer tells the limit and what is left of it. Nobody is banned for going on, but a 429 is all that comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.runtime import clock
from shared.venues.alpaca.errors import NAME
from shared.venues.budget import Budget
from shared.venues.trouble import Fate, VenueError

REQUESTS = 200


@dataclass
class Limit:
    """The limit of one interface, shared by all who ask there with the same access."""

    budget: Budget = field(default_factory=lambda: Budget(REQUESTS))
    under_way: int = 0
    """Requests without an answer yet, of which the venue's count may not know."""
    _counted: tuple[str, int] = ("", 0)
    """When the venue's minute ends, in its words, and the most that it has counted within: answers overtake others."""

    def begin(self, *, urgent: bool) -> None:
        """A request is about to be sent; VenueError, and it is not to be, where the limit does not allow it now."""
        now = clock.monotonic()
        wait = self.budget.wait(1, urgent, now)
        if wait > 0:
            why = "the venue wants to be left alone" if self.budget.is_closed(now) else "the minute's requests are made"
            raise VenueError(NAME, Fate.RETRY, f"held back: {why}", retry_after=wait)
        self.budget.spend(1, now)
        self.under_way += 1

    def ended(self, headers: Mapping[str, str]) -> None:
        """A request has been answered with these `headers`, which tell the limit; none where it never will be."""
        self.under_way -= 1
        limit, left = headers.get("X-RateLimit-Limit", ""), headers.get("X-RateLimit-Remaining", "")
        if not (limit.isdigit() and left.isdigit() and int(limit)):
            return
        ends, used = headers.get("X-RateLimit-Reset", ""), int(limit) - int(left)
        if ends == self._counted[0]:
            used = max(used, self._counted[1])
        self._counted = ends, used
        self.budget.limit = int(limit)
        self.budget.told(used + self.under_way, clock.monotonic())

    def refused(self, seconds: float) -> None:
        """The venue wants to hear nothing for so long."""
        self.budget.close(seconds, clock.monotonic())
