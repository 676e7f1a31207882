"""Notices when the guard is heard no more: approvals would come too late, or not at all."""

import asyncio
from collections.abc import Callable

from services.runner.core.inputs import GuardSilent
from shared.runtime import clock

SILENCE_SECONDS = 15.0
"""The guard tells a heartbeat every five seconds: three are missing."""
_LOOK_SECONDS = 0.5


class Silence:
    """Tells `hear` once when `heard`, the count of the guard's words, has not grown for too long.

    `problem` is the bus's own, or None.
    """

    def __init__(
        self, heard: Callable[[], int], problem: Callable[[], str | None], hear: Callable[[GuardSilent], None]
    ) -> None:
        self._heard = heard
        self._problem = problem
        self._hear = hear

    async def keep(self) -> None:
        """Watch, without end. Time in which this process itself stood still does not count."""
        last, silent, began = self._heard(), 0.0, clock.monotonic()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = clock.monotonic()
            passed, began = min(now - began, 2 * _LOOK_SECONDS), now
            if self._heard() != last:
                last, silent = self._heard(), 0.0
                continue
            if silent < SILENCE_SECONDS <= silent + passed:
                problem = self._problem()
                self._hear(GuardSilent("bus" if problem else "guard", problem or "no heartbeat of the guard is heard"))
            silent += passed
