"""The guard's sign of life in every session that runs."""

import asyncio
from itertools import count

from services.risk.service import GuardService
from services.risk.watch import Watch

EVERY_SECONDS = 5.0
IDLE_TURNS = 3
"""While no session runs, only every so many turns."""


async def beat(watch: Watch, service: GuardService) -> None:
    """Tell a heartbeat in each running session every few seconds, without end; more rarely while none runs."""
    for turn in count(1):
        running = [guard for guard in service.stack.guards.values() if guard.started_by]
        if running or turn % IDLE_TURNS == 0:
            await watch.beat([(guard.session_id, guard.market_time) for guard in running])
        await asyncio.sleep(EVERY_SECONDS)
