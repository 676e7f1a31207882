"""The sign of life of a service that belongs to no session, told under the stack's own id."""

import asyncio
from contextlib import suppress

from shared.runtime import clock, metrics
from shared.runtime.bus import Bus
from shared.runtime.errors import RetryableError
from shared.schemas.lifecycle import Heartbeat, HeartbeatMetrics
from shared.schemas.values import STACK, Service

EVERY_SECONDS = 15.0


async def beat(bus: Bus, service: Service) -> None:
    """Tell a heartbeat every few seconds, without end; what can't be stored for want of the bus is not made up for."""
    began = clock.monotonic()
    while True:
        with suppress(RetryableError):
            await bus.append([_heartbeat(service, clock.monotonic() - began)])
        await asyncio.sleep(EVERY_SECONDS)


def _heartbeat(service: Service, uptime: float) -> Heartbeat:
    own, now = clock.new_id(), clock.now()
    return Heartbeat(
        timestamp=now,
        market_time=now,
        session_id=STACK,
        id=own,
        correlation_id=own,
        causation_id=own,
        service=service,
        metrics=HeartbeatMetrics(
            uptime_seconds=uptime,
            events_published=metrics.total(metrics.PUBLISHED),
            events_consumed=metrics.total(metrics.CONSUMED),
        ),
    )
