"""The session without the bus: the same conductor, the same guard, joined by function calls."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.risk.core import guard as guarding
from services.risk.core.guard import Guard
from services.runner.conduct import Advance, Conducting, Conductor, Effect, Find, Listen, Next, Pace, Perform, Store
from services.runner.core.inputs import GuardSpoke
from services.runner.core.lifecycle import Opened, open_session
from services.runner.core.plan import Plan
from services.runner.core.state import State, initial
from services.runner.core.todo import Cancel, Observe, Submit
from services.runner.course import Step
from services.runner.feeds.port import FeedDescription
from shared.domain.decider import react
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, derived_id
from shared.schemas.orders import Approval, OrderAccepted, OrderApproved, OrderSubmitted, Ticket
from shared.schemas.trusted import trusted
from shared.venues.paper import Book, account, cancel, match, opened, submit

Watch = Callable[[Event], None]
"""Is told every fact, in the order in which the stream would hold it."""
Progress = Callable[[int, datetime], None]
"""Is told how many slices more have passed, and the market's time."""


_PLAIN = frozenset({OrderSubmitted, OrderAccepted})


class DeadlockError(RuntimeError):
    """The session waits for a word that nobody will say: a flaw in the cores."""


def begun(
    plan: Plan, feed: FeedDescription, start: datetime, watch: Watch, progress: Progress | None
) -> tuple[Conductor, "Market"]:
    """A session that has told its start, and the market that it will trade on."""
    market = Market(plan, start, watch, progress or _unseen)
    name = derived_id(plan.session_id, "open")
    cause = Cause(name, plan.session_id, start, start, name)
    state, facts = open_session(initial(plan), cause, Opened("dry_run", feed, start))
    market.store(facts)
    return Conductor(state, market.clock), market


def _unseen(count: int, at: datetime) -> None:
    """No progress is shown."""


def run(conducting: Conducting, market: "Market") -> State:
    """Carry out what the session asks for until it is done; answers its state then."""
    answer: Any = None
    while True:
        try:
            effect = conducting.send(answer)
        except StopIteration as end:
            final: State = end.value
            return final
        answer = market.answer(effect)


def sealed(session_id: str, intent_id: str, ticket: Ticket, expires_at: datetime) -> Approval:
    """The guard's approval where nobody could forge one: unsigned."""
    word = {"intent_id": intent_id, "expires_at": expires_at, "epoch": 0, "signer": "backtest", "signature": "backtest"}
    return trusted(Approval, word)


@dataclass
class Market:
    """The venue, the guard and the clock of a backtest."""

    plan: Plan
    now: datetime
    watch: Watch
    progress: Progress
    guard: Guard = field(init=False)
    book: Book = field(init=False)
    words: deque[Event] = field(default_factory=deque)
    is_plain: bool = True
    """Whether nothing but approved, submitted and accepted orders was told since this was set."""

    def __post_init__(self) -> None:
        self.guard = guarding.initial(self.plan.session_id)
        self.book = opened(self.plan.config)

    def clock(self) -> datetime:
        """The close of the last slice: a backtest knows no other time."""
        return self.now

    def answer(self, effect: Effect) -> Any:
        """Carry out what the conductor asks for."""
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
            case Next():
                raise DeadlockError("a backtest has no market that goes on; please report this session")

    def _pace(self, step: Step) -> GuardSpoke | None:
        if self.words:
            return GuardSpoke(self.words.popleft())
        self.progress(1, step.candles[0].close_time)
        return None

    def _word(self) -> GuardSpoke:
        if not self.words:
            raise DeadlockError(
                f"at {self.now}: nothing more to hear, yet the session waits; please report this session"
            )
        return GuardSpoke(self.words.popleft())

    def store(self, facts: Sequence[Event]) -> None:
        """Let the guard hear the runner's facts, and queue what it says to them."""
        self.is_plain = self.is_plain and all(type(fact) in _PLAIN for fact in facts)
        for fact in facts:
            self.watch(fact)
        self.judge(facts)

    def judge(self, facts: Sequence[Event]) -> None:
        """Let the guard hear facts that are stored."""
        for fact in facts:
            self.guard, told = react(guarding.evolve, self._decide, self.guard, fact)
            for word in told:
                self.watch(word)
                self.words.append(word)
                self.is_plain = self.is_plain and type(word) is OrderApproved

    def _decide(self, guard: Guard, event: Event) -> Sequence[Event]:
        return guarding.decide(guard, event, sealed)

    def _perform(self, action: Submit | Cancel | Observe) -> Any:
        if isinstance(action, Observe):
            return account(self.book)
        if isinstance(action, Submit):
            self.book, reports = submit(self.book, action.approval.order, self.now)
        else:
            self.book, reports = cancel(self.book, action.client_order_id, self.now, action.reason)
        return reports
