"""Conducts a session: the one order of events that live trading, backtest and demo share.

`conduct` does no input or output. It yields what it needs done and is sent the answer, so that the bus and a backtest's
plain function calls carry the very same session.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.runner.core.causes import cause_of, labelled
from services.runner.core.decide import handle
from services.runner.core.inputs import (
    AccountObserved,
    Check,
    GuardSpoke,
    Input,
    Reported,
    SliceClosed,
    StopRequested,
)
from services.runner.core.lifecycle import Ended, Warmed, close_session, finish_warmup
from services.runner.core.state import State
from services.runner.core.todo import Action, Observe, Submit, finished, settled, todo
from services.runner.core.understanding import understood
from services.runner.course import END_OF_DATA, Step, closing_slices
from shared.schemas.envelope import Event
from shared.schemas.market import Candle
from shared.schemas.orders import OrderState, VenueAccount
from shared.venues.port import Accepted, Report
from shared.venues.words import Doubtful, VenueSaid

GRACE_SLICES = 20
"""How many slices beyond the expected a session waits for its last orders to fill before it ends all the same."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Wait until the step's time has come (answer None), or until something else is to be handled first (answer it)."""

    step: Step


@dataclass(frozen=True, slots=True)
class Next:
    """Wait for the market's next slice (answer its step), or until something else is to be handled (answer it)."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for the guard, an operator or a venue that answers in its own time; answer what they said."""


@dataclass(frozen=True, slots=True)
class Store:
    """Store these facts, in order, before anything is done about them; a crash may leave the first few.

    With `together`, all are stored or none.
    """

    facts: Sequence[Event]
    together: bool = False


@dataclass(frozen=True, slots=True)
class Advance:
    """Let the venue work the candles; answer its reports."""

    candles: Sequence[Candle]


@dataclass(frozen=True, slots=True)
class Perform:
    """Carry out an action at the venue; answer its reports, or the account if it was asked to observe."""

    action: Action


@dataclass(frozen=True, slots=True)
class Find:
    """Ask the venue for an order that may or may not have reached it.

    Answer its state, None where it never arrived, or `Doubtful` where the venue can't tell in one answer.
    """

    client_order_id: str


Effect = Pace | Next | Listen | Store | Advance | Perform | Find
Conducting = Generator[Effect, Any, State]


class Conductor:
    """One session from its present state to its end. `preflight` is told where trading begins."""

    def __init__(self, state: State, clock: Callable[[], datetime], preflight: Sequence[Check] = ()) -> None:
        self.state = state
        self._clock = clock
        self._preflight = preflight
        self._asked: set[str] = set()
        self._doubtful = {name for name, order in state.orders.items() if order.stage == "submitted"}

    def conduct(self, steps: Iterable[Step]) -> Conducting:
        """Trade `steps`, then a live market, to the session's end; the generator's value is the final state."""
        yield from self._recover()
        for step in steps:
            if self._is_over():
                break
            yield from self._step(step)
        if self.state.plan.config.is_live:
            yield from self._follow()
        yield from self._end()
        return self.state

    def _is_over(self) -> bool:
        if finished(self.state):
            return True
        patience = closing_slices(self.state.plan.config) + GRACE_SLICES
        left_behind = self.state.plan.config.is_live and self.state.orders
        return self.state.closing >= patience and not left_behind

    def _follow(self) -> Conducting:
        while not self._is_over():
            given = yield Next()
            if isinstance(given, Step):
                yield from self._step(given)
            else:
                yield from self._apply(given)
                yield from self.settle()
        return self.state

    def _recover(self) -> Conducting:
        for order in tuple(self.state.orders.values()):
            if order.stage == "approved" and order.approval is not None:
                yield from self._apply(GuardSpoke(order.approval))
        if self.state.slices:
            yield from self._apply(Reported(()))
        return (yield from self.settle())

    def _step(self, step: Step) -> Conducting:
        if not step.warmup and self.state.phase != "api_phase":
            warmed = Warmed(self.state.slices, self._preflight)
            yield from self._tell(
                finish_warmup(self.state, labelled(self.state, "warmup", self._clock()), warmed), together=True
            )
        while (given := (yield Pace(step))) is not None:
            yield from self._apply(given)
            yield from self.settle()
        if not step.warmup:
            yield from self._until_enabled()
        if step.stop:
            yield from self._apply(StopRequested(step.stop))
            yield from self.settle()
            if finished(self.state):
                return self.state
        reports = yield Advance(step.candles)
        yield from self._apply(SliceClosed(step.candles, reports, step.warmup))
        return self.state if step.warmup else (yield from self.settle())

    def _until_enabled(self) -> Conducting:
        while not self.state.enabled:
            yield from self._apply((yield Listen()))
        return (yield from self.settle())

    def settle(self) -> Conducting:
        """Until every order has its answer: carry out what is to be done, else listen."""
        while True:
            action = next((action for action in todo(self.state) if self._is_new(action)), None)
            if action is not None:
                yield from self._perform(action)
            elif self.state.phase == "api_phase" and self.state.enabled and not settled(self.state):
                yield from self._apply((yield Listen()))
            else:
                return self.state

    def _is_new(self, action: Action) -> bool:
        return isinstance(action, Observe) or f"{type(action).__name__} {action.client_order_id}" not in self._asked

    def _perform(self, action: Action) -> Conducting:
        if isinstance(action, Observe):
            account: VenueAccount = yield Perform(action)
            return (yield from self._apply(AccountObserved(account)))
        name = action.client_order_id
        self._asked.add(f"{type(action).__name__} {name}")
        if isinstance(action, Submit) and name in self._doubtful:
            found: OrderState | Doubtful | None = yield Find(name)
            if isinstance(found, Doubtful):
                return (yield from self._apply(VenueSaid((found,))))
            if found is not None:
                return (yield from self._apply(Reported((Accepted(found),))))
        reports: Sequence[Report] | VenueSaid = yield Perform(action)
        return (yield from self._apply(reports if isinstance(reports, VenueSaid) else Reported(reports)))

    def _end(self) -> Conducting:
        if not self.state.stopping:
            yield from self._apply(StopRequested(END_OF_DATA))
            yield from self.settle()
        return (
            yield from self._tell(
                close_session(self.state, labelled(self.state, "end", self._clock()), Ended(self.state.stopping or "")),
                together=True,
            )
        )

    def _apply(self, given: Input | VenueSaid) -> Conducting:
        if not isinstance(given, VenueSaid):
            return (yield from self._decide(given))
        for word in given.words:
            report = understood(self.state, word)
            if report is not None:
                yield from self._decide(Reported((report,)))
        return self.state

    def _decide(self, given: Input) -> Conducting:
        # A live slice can't be asked for again as it was: it stands in the stream whole or not at all.
        whole = isinstance(given, SliceClosed) and self.state.plan.config.is_live
        return (yield from self._tell(handle(self.state, given, cause_of(self.state, given, self._clock())), whole))

    def _tell(self, outcome: tuple[State, Sequence[Event]], together: bool = False) -> Conducting:
        self.state, facts = outcome
        if facts:
            yield Store(facts, together)
        return self.state
