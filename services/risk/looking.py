"""Looks at the time for the sessions under guard: some conditions of trading pass away without a fact."""

import asyncio

from services.risk.core import conditions
from services.risk.service import GuardService
from shared.runtime import clock

EVERY_SECONDS = 1.0


async def look(service: GuardService) -> None:
    """Tell what follows from the time, without end."""
    while True:
        for guard in tuple(service.stack.guards.values()):
            if conditions.look(guard, clock.now()):
                await service.tell_of(guard.session_id, lambda known: conditions.look(known, clock.now()))
        await asyncio.sleep(EVERY_SECONDS)
