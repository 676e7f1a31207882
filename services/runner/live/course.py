"""The course of a session on a live market: the steps come when they come."""

from services.runner.course import Ending, Step
from services.runner.live.slices import Slices

_MANY = 1_000_000
"""A live market goes on: more slices follow than any ending keeps in reserve."""


class LiveCourse:
    """Makes steps of `slices`, up to the session's `ending`."""

    def __init__(self, slices: Slices, ending: Ending) -> None:
        self._slices = slices
        self._ending = ending

    def take(self) -> Step | None:
        """The next step, or None while the market has none."""
        candles = self._slices.take()
        if candles is None:
            return None
        return Step(candles, False, self._ending.reason(candles[0].close_time, _MANY))
