"""The session on the bus: carries out what the conductor asks for."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.runner import metrics
from services.runner.conduct import Advance, Conducting, Conductor, Effect, Find, Listen, Next, Pace, Perform, Store
from services.runner.core.inputs import Input, StopRequested
from services.runner.core.state import State
from services.runner.core.todo import KILLED, Cancel, Observe, Submit
from services.runner.course import Step
from services.runner.hearing import Hearing
from services.runner.keeping import Keeping
from services.runner.live.course import LiveCourse
from shared.domain import portfolio
from shared.domain.approval import ApprovedOrder, UnapprovedError, Verify, admit, admit_released
from shared.runtime import clock
from shared.runtime.errors import FatalError
from shared.runtime.service import Context
from shared.runtime.voice import Voice
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, Facts
from shared.schemas.lifecycle import Heartbeat, HeartbeatMetrics
from shared.schemas.orders import OrderApproved, OrderReleased
from shared.venues.port import Report, Venue
from shared.venues.words import Shown, VenueSaid

HEARTBEAT_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
"""So long a session that is to end still waits for the guard: longer than it takes to find that it is silent."""


class Session:
    """One session under way. `run` trades it to its end, at `speed`, asked to end `within` that time of trading."""

    def __init__(
        self,
        context: Context,
        conductor: Conductor,
        venue: Venue,
        voice: Voice,
        hearing: Hearing,
        keeping: Keeping,
        verify: Verify,
        speed: Decimal | None,
        within: timedelta | None,
        market: LiveCourse | None = None,
    ) -> None:
        self._context = context
        self._conductor = conductor
        self._venue = venue
        self._voice = voice
        self._hearing = hearing
        self._keeping = keeping
        self._verify = verify
        self._speed = speed
        self._within = within
        self._market = market
        self._deadline: float | None = None
        self._began: tuple[float, datetime] | None = None
        self._started = clock.monotonic()

    async def run(self, conducting: Conducting) -> State:
        """Carry out what the conductor asks for by `conducting`; answers the final state."""
        answer: Any = None
        while True:
            try:
                effect = conducting.send(answer)
            except StopIteration as end:
                final: State = end.value
                await self._voice.settled()
                return final
            answer = await self._answer(effect)

    async def _answer(self, effect: Effect) -> Any:
        match effect:
            case Pace(step):
                return await self._pace(step)
            case Next():
                return await self._next()
            case Listen():
                return await self._listen()
            case Store(facts, together):
                self._keeping.note(facts)
                await (self._voice.say_together(facts) if together else self._voice.say(facts))
            case Advance(candles):
                metrics.SLICES.inc()
                metrics.MARKET_TIME.set(candles[0].close_time.timestamp())
                metrics.ORDERS_IN_FLIGHT.set(len(self._conductor.state.orders))
                return self._venue.advance(candles)
            case Perform(action):
                await self._voice.settled()
                return await self._perform(action)
            case Find(name):
                return await self._venue.order(name)

    async def _perform(self, action: Submit | Cancel | Observe) -> Any:
        match action:
            case Submit(_, approval):
                return await self._submit(approval)
            case Cancel(name, reason):
                return await self._venue.cancel(name, reason)
            case Observe():
                return await self._venue.account()

    async def _submit(self, approval: OrderApproved | OrderReleased) -> Sequence[Report] | VenueSaid:
        if self._hearing.kill_waits and approval.order.purpose != "flatten":
            return _never_sent(approval, KILLED)
        try:
            order = self._admitted(approval)
        except UnapprovedError as error:
            return _never_sent(approval, str(error))
        return await self._venue.submit(order)

    def _admitted(self, approval: OrderApproved | OrderReleased) -> ApprovedOrder:
        if isinstance(approval, OrderReleased):
            return admit_released(approval, self._venue.clock)
        return admit(approval, self._verify, self._venue.clock, self._guards_epoch)

    @property
    def _guards_epoch(self) -> int:
        """In lock-step the market stands still while guards change, and the stream's order alone decides."""
        return self._hearing.guards_epoch if self._market is not None else 0

    async def _next(self) -> Step | Input | VenueSaid:
        """The next slice of a live market, once all that was heard is handled."""
        assert self._market is not None
        self._begin_deadline()
        while True:
            given = self._hearing.take()
            if given is not None:
                return given
            if not self._conductor.state.stopping and (reason := self._wants_to_stop()):
                return StopRequested(reason)
            step = self._market.take()
            if step is not None:
                return step
            await self._keeping.consider(self._conductor.state, self._venue)
            await self._hearing.wait(self._no_later_than_the_deadline(1.0))

    def _begin_deadline(self) -> None:
        if self._deadline is None and self._within is not None:
            self._deadline = clock.monotonic() + self._within.total_seconds()

    async def _pace(self, step: Step) -> Input | VenueSaid | None:
        if not step.warmup:
            self._begin_deadline()
        while True:
            given = self._hearing.take()
            if given is not None:
                return given
            if not self._conductor.state.stopping and (reason := self._wants_to_stop()):
                return StopRequested(reason)
            wait = self._seconds_until(step)
            if wait <= 0:
                await self._keeping.consider(self._conductor.state, self._venue)
                await asyncio.sleep(0)
                return None
            await self._hearing.wait(self._no_later_than_the_deadline(wait))

    def _wants_to_stop(self) -> str | None:
        if self._context.stopping.is_set():
            return "asked to stop"
        if self._deadline is not None and clock.monotonic() >= self._deadline:
            return "DURATION"
        return None

    def _no_later_than_the_deadline(self, seconds: float) -> float:
        if self._deadline is None or self._conductor.state.stopping:
            return seconds
        return max(min(seconds, self._deadline - clock.monotonic()), 0.0)

    def _seconds_until(self, step: Step) -> float:
        """Wall seconds until the step is due. A session that is about to end no longer waits for the clock."""
        if self._speed is None or step.warmup or self._conductor.state.stopping:
            return 0.0
        close = step.candles[0].close_time
        if self._began is None:
            self._began = (clock.monotonic(), close)
        began_at, first = self._began
        return began_at + (close - first).total_seconds() / float(self._speed) - clock.monotonic()

    async def _listen(self) -> Input | VenueSaid:
        waited = 0.0
        while (given := self._hearing.take()) is None:
            began = clock.monotonic()
            await self._hearing.wait(1.0)
            waited += clock.monotonic() - began
            if waited >= 1.0:
                self._bear(waited)
        return given

    def _bear(self, waited: float) -> None:
        metrics.WAITS.inc()
        if self._context.stopping.is_set() and waited >= PATIENCE_SECONDS:
            raise FatalError("the guard does not answer, so open orders could not be settled; start it, then run again")
        self._context.log.warning("the market stands still: no word from the guard", seconds=round(waited))

    async def watch(self) -> None:
        """Wake the session when it is asked to stop."""
        await self._context.stopping.wait()
        self._hearing.wake()

    async def beat(self) -> None:
        """Tell a heartbeat every few seconds, without end; the first has been told."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self._voice.renew([self.heartbeat()])

    def heartbeat(self) -> Event:
        """A sign of life: what the session has come to."""
        state, now, name = self._conductor.state, clock.now(), clock.new_id()
        account = portfolio.metrics(state.portfolio)
        cause = Cause(name, state.plan.session_id, now, state.market_time or state.market_start or now, name)
        vital = HeartbeatMetrics(
            uptime_seconds=round(clock.monotonic() - self._started, 3),
            events_published=self._voice.told,
            events_consumed=self._hearing.count,
            equity=account.equity,
            pnl=account.pnl,
            trades=account.trades,
            wins=account.wins,
            losses=account.losses,
            win_rate=account.win_rate,
        )
        status = "killed" if state.killed else "halted" if state.halt else "running" if state.enabled else "waiting"
        return Facts(cause, "runner").tell(Heartbeat, phase=state.phase, status=status, metrics=vital)


def _never_sent(approval: OrderApproved | OrderReleased, reason: str) -> VenueSaid:
    name = approval.order.client_order_id
    return VenueSaid((Shown(name, None, "rejected", Decimal(0), f"never sent: {reason}", never_sent=True),))
