"""Who may ask, and how often."""

import time
from collections import Counter
from collections.abc import Callable, Mapping

from tests.venues.alpaca.refusal import Refusal

PAPER = ("PKTESTPAPER0000000001", "paper-secret-made-up-for-tests-0000000001")
LIVE = ("AKTESTLIVE00000000001", "live-secret-made-up-for-tests-00000000001")
WINDOW_SECONDS = 60


class Access:
    """The keys of one environment, and its limit of requests a minute; the other environment's keys are refused.

    The account's interface and that of the market's data have the same `limit`, each for itself: `data` says which.
    `seconds` tells the time since 1970.
    """

    def __init__(self, *, paper: bool, limit: int, seconds: Callable[[], float] = time.time) -> None:
        self.key, self.secret = PAPER if paper else LIVE
        self.other = LIVE if paper else PAPER
        self.limit = limit
        self._seconds = seconds
        self._window = 0
        self._used: Counter[bool] = Counter()

    def check(self, headers: Mapping[str, str], *, data: bool) -> None:
        """Count a request; raises `Refusal` for missing or wrong keys and beyond the limit."""
        given = headers.get("APCA-API-KEY-ID", ""), headers.get("APCA-API-SECRET-KEY", "")
        if not all(given):
            raise Refusal(401, None, "unauthorized.")
        if given == self.other:
            raise Refusal(401, 40110000, "request is not authorized")
        if not self.knows(*given):
            raise Refusal(403, None, "forbidden.")
        self._renew()
        self._used[data] += 1
        if self._used[data] > self.limit:
            raise Refusal(429, 42910000, "rate limit exceeded")

    def knows(self, key: str, secret: str) -> bool:
        """Whether these are the account's."""
        return (key, secret) == (self.key, self.secret)

    def headers(self, *, data: bool) -> dict[str, str]:
        """The limit, what is left of it, and when it is whole again (seconds since 1970)."""
        self._renew()
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - self._used[data], 0)),
            "X-RateLimit-Reset": str((self._window + 1) * WINDOW_SECONDS),
        }

    def _renew(self) -> None:
        window = int(self._seconds()) // WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._used.clear()
