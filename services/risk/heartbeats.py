"""The guard's sign of life in every session that runs."""

import asyncio
from datetime import datetime

from services.risk.service import GuardService
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.schemas.lifecycle import Heartbeat, HeartbeatMetrics

EVERY_SECONDS = 5.0


async def beat(bus: Bus, service: GuardService, every: float = EVERY_SECONDS) -> None:
    """Tell a heartbeat in each running session every `every` seconds, without end."""
    started = clock.monotonic()
    while True:
        await bus.append(_heartbeats(service, clock.monotonic() - started))
        await asyncio.sleep(every)


def _heartbeats(service: GuardService, uptime: float) -> list[Heartbeat]:
    metrics = HeartbeatMetrics(
        uptime_seconds=uptime, events_published=service.published, events_consumed=service.consumed
    )
    running = [guard for guard in service.stack.guards.values() if guard.started_by]
    return [_heartbeat(guard.session_id, guard.market_time, metrics) for guard in running]


def _heartbeat(session_id: str, market_time: datetime, metrics: HeartbeatMetrics) -> Heartbeat:
    own = clock.new_id()
    return Heartbeat(
        timestamp=clock.now(),
        market_time=market_time,
        session_id=session_id,
        id=own,
        correlation_id=own,
        causation_id=own,
        service="risk",
        metrics=metrics,
    )
