"""Notices when the guard is heard no more: approvals would come too late, or not at all."""

import asyncio
from collections.abc import Callable
from typing import Literal

from services.runner.core.inputs import GuardHeard, GuardSilent
from shared.runtime import clock

SILENCE_SECONDS = 15.0
"""The guard tells a heartbeat every five seconds: three are missing."""
_LOOK_SECONDS = 0.5


class Silence:
    """Tells `hear` when `heard`, the count of the guard's words, has not grown for too long, and when it grows again.

    `problem` is the bus's own, or None: while it lasts, it is the bus that is missing, whatever the guard does. With
    `known`, the session takes the guard for silent already.
    """

    def __init__(
        self,
        heard: Callable[[], int],
        problem: Callable[[], str | None],
        hear: Callable[[GuardSilent | GuardHeard], None],
        known: bool = False,
    ) -> None:
        self._heard = heard
        self._problem = problem
        self._hear = hear
        self._told: Literal["guard", "bus"] | None = "guard" if known else None

    async def keep(self) -> None:
        """Watch, without end. Time in which this process itself stood still does not count."""
        last, silent, began = self._heard(), 0.0, clock.monotonic()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = clock.monotonic()
            passed, began = min(now - began, 2 * _LOOK_SECONDS), now
            if self._heard() != last:
                last, silent = self._heard(), 0.0
                self._over()
                continue
            silent += passed
            if silent >= SILENCE_SECONDS and self._is_news():
                silent = 0.0

    def _over(self) -> None:
        if self._told == "guard":
            self._hear(GuardHeard())
        self._told = None

    def _is_news(self) -> bool:
        """Whether the silence was told just now. A guard that stays silent once the bus is back is told then."""
        problem = self._problem()
        missing: Literal["guard", "bus"] = "bus" if problem else "guard"
        if self._told in (missing, "guard"):
            return self._told == missing == "bus"
        self._told = missing
        self._hear(GuardSilent(missing, problem or "no heartbeat of the guard is heard"))
        return True
