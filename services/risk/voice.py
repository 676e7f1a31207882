"""The guard's voice: whatever it tells is stored in order, and only as long as no other guard has taken over.

The watch is the guard's heartbeat under the stack's own id. Who stands up tells one, and every fact is stored on the
condition that it is still the last of its kind. A guard that was frozen, or that never noticed its successor, is
therefore refused by the stream itself, in sessions that it has never heard of as well.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FencedError
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Heartbeat, HeartbeatMetrics
from shared.schemas.subjects import EVENTS, event_subject
from shared.schemas.values import STACK

WATCH = event_subject(STACK, "risk", "heartbeat")
"""Whose fact is the last on this subject has the watch."""
_ATTEMPTS = 5
_REMEMBERED = 8


class Voice:
    """Has the watch from `take_watch` on, until another guard takes it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._turn = asyncio.Lock()
        self._watch = 0
        self._own: deque[str] = deque(maxlen=_REMEMBERED)
        self._began = clock.monotonic()
        self.heard = 0
        self.told = 0

    async def take_watch(self) -> None:
        """From here on the words of whoever stood guard before are refused. FencedError when others do the same."""
        for _ in range(_ATTEMPTS):
            found = await self._bus.latest(EVENTS, [WATCH])
            self._watch = found[-1].sequence if found else 0
            try:
                return await self.beat([])
            except FencedError:
                continue
        raise FencedError("several guards take over from one another; stop all but one")

    async def say(self, facts: Sequence[Event]) -> None:
        """Store `facts`, all or none. FencedError, and nothing is stored, when another guard has the watch."""
        async with self._turn:
            await self._append(facts)
        self.told += len(facts)

    async def beat(self, sessions: Sequence[tuple[str, datetime]]) -> None:
        """Tell that the guard is alive: in each of `sessions`, at its market time, and under the stack's own id."""
        beats = [self._heartbeat(*session) for session in (*sessions, (STACK, clock.now()))]
        self._own.append(beats[-1].id)
        async with self._turn:
            self._watch = await self._append(beats)
        self.told += len(beats)

    def check_watch(self, delivery: Delivery) -> None:
        """FencedError when `delivery` tells that another guard has taken the watch since."""
        foreign = delivery.subject == WATCH and delivery.headers.get("Nats-Msg-Id") not in self._own
        if foreign and delivery.sequence > self._watch:
            raise FencedError(f"another guard has taken over with number {delivery.sequence} of {EVENTS}; {_ADVICE}")

    async def _append(self, facts: Sequence[Event]) -> int:
        try:
            return await self._bus.append(facts, after=self._watch, on=WATCH)
        except FencedError as error:
            raise FencedError(f"another guard is at work: {error}; {_ADVICE}") from None

    def _heartbeat(self, session_id: str, market_time: datetime) -> Heartbeat:
        own = clock.new_id()
        metrics = HeartbeatMetrics(
            uptime_seconds=clock.monotonic() - self._began, events_published=self.told, events_consumed=self.heard
        )
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


_ADVICE = "this one ends, let one only stand guard on this stream"
