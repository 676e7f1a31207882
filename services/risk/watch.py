"""The guard's watch: who has it may speak, and only one has it.

The claim is the guard's heartbeat under the stack's own id. As every fact depends on it, a guard that was relieved is
refused in sessions that it has never heard of as well.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FencedError
from shared.runtime.voice import Voice
from shared.schemas.lifecycle import Heartbeat, HeartbeatMetrics
from shared.schemas.subjects import EVENTS, event_subject
from shared.schemas.values import STACK

WATCH = event_subject(STACK, "risk", "heartbeat")
"""Whose fact is the last on this subject has the watch."""
_ATTEMPTS = 5
_REMEMBERED = 8


class Watch:
    """A guard's from `take` on, until another one takes it. `voice` is what the guard speaks with."""

    def __init__(self, bus: Bus, *, has_second_factor: bool = False) -> None:
        self.voice = Voice(bus, WATCH)
        self.epoch = 0
        """This incarnation's number: where in the stream the watch was taken, so higher than all before."""
        self._has_second_factor = has_second_factor
        self._own: deque[str] = deque(maxlen=_REMEMBERED)
        self._began = clock.monotonic()
        self.heard = 0

    async def take(self) -> None:
        """From here on the words of whoever stood guard before are refused. FencedError when others do the same."""
        for _ in range(_ATTEMPTS):
            last = await self.voice.last_claim()
            try:
                await self.voice.claim(self._beats([]), after=last, on=WATCH)
            except FencedError:
                continue
            self.epoch = self.voice.last
            return
        raise FencedError("several guards take over from one another; stop all but one")

    async def beat(self, sessions: Sequence[tuple[str, datetime]]) -> None:
        """Tell that the guard is alive: in each of `sessions`, at its market time, and under the stack's own id."""
        await self.voice.renew(self._beats(sessions))

    def check(self, delivery: Delivery) -> None:
        """FencedError when `delivery` tells that another guard has taken the watch since."""
        foreign = delivery.subject == WATCH and delivery.headers.get("Nats-Msg-Id") not in self._own
        if foreign and self.voice.is_foreign(delivery.sequence):
            raise FencedError(f"another guard has taken over with number {delivery.sequence} of {EVENTS}; {_ADVICE}")

    def _beats(self, sessions: Sequence[tuple[str, datetime]]) -> Sequence[Heartbeat]:
        beats = [self._heartbeat(*session) for session in (*sessions, (STACK, clock.now()))]
        self._own.append(beats[-1].id)
        return beats

    def _heartbeat(self, session_id: str, market_time: datetime) -> Heartbeat:
        own = clock.new_id()
        metrics = HeartbeatMetrics(
            uptime_seconds=clock.monotonic() - self._began,
            events_published=self.voice.told,
            events_consumed=self.heard,
            epoch=self.epoch or None,
            second_factor=self._has_second_factor,
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
