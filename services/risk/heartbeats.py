"""The guard's sign of life in every session that runs."""

import asyncio

from services.risk.service import GuardService
from services.risk.watch import Watch

EVERY_SECONDS = 5.0


async def beat(watch: Watch, service: GuardService) -> None:
    """Tell a heartbeat in each running session every few seconds, without end; none while no session runs."""
    while True:
        running = [guard for guard in service.stack.guards.values() if guard.started_by]
        if running:
            await watch.beat([(guard.session_id, guard.market_time) for guard in running])
        await asyncio.sleep(EVERY_SECONDS)
