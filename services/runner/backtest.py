"""The session without the bus: the same conductor, the same guard, joined by function calls."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.risk.core import guard as guarding
from services.risk.core.guard import Guard
from services.runner.conduct import Advance, Conductor, Effect, Find, Listen, Pace, Perform, Store
from services.runner.core.inputs import GuardSpoke
from services.runner.core.lifecycle import Opened, open_session
from services.runner.core.plan import Plan
from services.runner.core.state import State, initial
from services.runner.core.todo import Cancel, Observe, Submit
from services.runner.course import Step, course, opening
from services.runner.feeds.port import Feed
from shared.domain.decider import react
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, derived_id
from shared.schemas.orders import Approval, Ticket
from shared.venues.paper import Book, account, cancel, match, opened, submit

Watch = Callable[[Event], None]
"""Is told every fact, in the order in which the stream would hold it."""


class DeadlockError(RuntimeError):
    """The session waits for a word that nobody will say: a flaw in the cores."""


def backtest(plan: Plan, feed: Feed, watch: Watch, progress: Callable[[Step], None] | None = None) -> State:
    """Trade `feed` to its end and answer the final state. Errors of the feed come as FeedError."""
    start, slices = opening(plan.config, feed.slices())
    market = _Market(plan, start, watch, progress or _quiet)
    cause = Cause(
        derived_id(plan.session_id, "open"), plan.session_id, start, start, derived_id(plan.session_id, "open")
    )
    state, facts = open_session(initial(plan), cause, Opened("dry_run", feed.description, start))
    market.store(facts)
    conducting = Conductor(state, market.clock).conduct(course(plan.config, slices, start))
    return _run(conducting, market)


def _quiet(step: Step) -> None:
    """No progress is shown."""


def _run(conducting: Iterator[Effect], market: "_Market") -> State:
    answer: Any = None
    while True:
        try:
            effect = conducting.send(answer)  # type: ignore[attr-defined]
        except StopIteration as end:
            final: State = end.value
            return final
        answer = market.answer(effect)


def _sealed(session_id: str, intent_id: str, ticket: Ticket, expires_at: datetime) -> Approval:
    return Approval(intent_id=intent_id, expires_at=expires_at, signer="backtest", signature="backtest")


@dataclass
class _Market:
    """The venue, the guard and the clock of a backtest."""

    plan: Plan
    now: datetime
    watch: Watch
    progress: Callable[[Step], None]
    guard: Guard = field(init=False)
    book: Book = field(init=False)
    words: deque[Event] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.guard = guarding.initial(self.plan.session_id)
        self.book = opened(self.plan.config)

    def clock(self) -> datetime:
        return self.now

    def answer(self, effect: Effect) -> Any:
        match effect:
            case Pace(step):
                return self._pace(step)
            case Advance(candles):
                self.now = candles[0].close_time
                self.book, reports = match(self.book, candles)
                return reports
            case Store(facts):
                return self.store(facts)
            case Perform(action):
                return self._perform(action)
            case Listen():
                return self._word()
            case Find():
                return None

    def _pace(self, step: Step) -> GuardSpoke | None:
        if self.words:
            return GuardSpoke(self.words.popleft())
        self.progress(step)
        return None

    def _word(self) -> GuardSpoke:
        if not self.words:
            raise DeadlockError(
                f"at {self.now}: nothing more to hear, yet the session waits; please report this session"
            )
        return GuardSpoke(self.words.popleft())

    def store(self, facts: Sequence[Event]) -> None:
        """Let the guard hear the runner's facts, and queue what it says to them."""
        for fact in facts:
            self.watch(fact)
        for fact in facts:
            self.guard, told = react(guarding.evolve, self._decide, self.guard, fact)
            for word in told:
                self.watch(word)
                self.words.append(word)

    def _decide(self, guard: Guard, event: Event) -> Sequence[Event]:
        return guarding.decide(guard, event, _sealed)

    def _perform(self, action: Submit | Cancel | Observe) -> Any:
        if isinstance(action, Observe):
            return account(self.book)
        if isinstance(action, Submit):
            self.book, reports = submit(self.book, action.approval.order, self.now)
        else:
            self.book, reports = cancel(self.book, action.client_order_id, self.now, action.reason)
        return reports
