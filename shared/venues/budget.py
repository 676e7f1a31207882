"""How much may be asked of a venue, shared by all that ask it from this process."""

from dataclasses import dataclass

WINDOW_SECONDS = 60.0
RESERVED = 0.1
"""The last part of each minute's weight, kept for what brings down risk: cancels and reduce-only orders."""
LEISURE = 0.6
"""Up to so much of each minute's weight may be spent on what can wait: looks at the books, above all."""


@dataclass
class Budget:
    """The weight of requests that a venue allows in a minute; times are seconds on any clock that never steps.

    The venue's own count is what holds, for others may ask from the same address; between its answers ours is added.
    """

    limit: int = 6000
    _used: int = 0
    _window_ends: float = 0.0
    _closed_until: float = 0.0

    def wait(self, weight: int, urgent: bool, now: float) -> float:
        """Seconds to stay away before a request of that weight may be sent; 0 where it may be sent at once."""
        return self._wait(weight, self.limit if urgent else self.limit * (1 - RESERVED), now)

    def put_off(self, weight: int, now: float) -> float:
        """Seconds to put off what can wait, and weighs that much altogether, so that it keeps no order from leaving."""
        return self._wait(weight, self.limit * LEISURE, now)

    def _wait(self, weight: int, room: float, now: float) -> float:
        if now < self._closed_until:
            return self._closed_until - now
        if now >= self._window_ends or self._used + weight <= room:
            return 0.0
        return self._window_ends - now

    def used(self, now: float) -> int:
        """The weight that is spent of the present minute."""
        return self._used if now < self._window_ends else 0

    def is_closed(self, now: float) -> bool:
        """Whether the venue has asked to be left alone."""
        return now < self._closed_until

    def spend(self, weight: int, now: float) -> None:
        """A request of that weight is on its way."""
        if now >= self._window_ends:
            self._used, self._window_ends = 0, now + WINDOW_SECONDS
        self._used += weight

    def told(self, used: int, now: float) -> None:
        """The venue's own count of the minute's weight."""
        if now >= self._window_ends or used < self._used:
            self._window_ends = now + WINDOW_SECONDS
        self._used = used

    def close(self, seconds: float, now: float) -> None:
        """The venue wants to hear nothing for so long, neither what is urgent: whoever goes on is banned for longer."""
        self._closed_until = max(self._closed_until, now + seconds)
