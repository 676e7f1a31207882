"""A session on a stream in memory, whose runner can be made to crash before or after any single thing that it does.

The runner's conductor, the guard's core and the paper venue are the real ones. What survives a crash is what survives
a process: the stream, and the guard, which lives elsewhere. What had not reached the stream yet is lost.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.risk.core import guard as guarding
from services.risk.core.guard import Guard
from services.runner.conduct import Advance, Conductor, Effect, Find, Listen, Pace, Perform, Store
from services.runner.core.inputs import GuardSpoke, Input
from services.runner.core.lifecycle import Opened, open_session
from services.runner.core.plan import plan
from services.runner.core.state import State, initial
from services.runner.core.todo import Cancel, Submit
from services.runner.course import course, opening
from services.runner.recollection import Recollection, Recorded
from services.runner.service import caught_up
from shared.domain.decider import react
from shared.runtime.delivery import Delivery
from shared.schemas.codec import encode, subject_of
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, derived_id
from shared.schemas.orders import Approval, Ticket
from shared.schemas.session import SessionConfig
from shared.venues.paper import Book, account, cancel, match, order, submit
from tests.rehearsal import SESSION, ListedFeed

Side = Literal["before", "within", "after"]
"""Within a storing, only the first of the facts on their way reach the stream."""


class CrashedError(Exception):
    """The runner's process is gone."""


def sealed(session_id: str, intent_id: str, ticket: Ticket, expires_at: datetime) -> Approval:
    """A signature that nobody checks here."""
    return Approval(intent_id=intent_id, expires_at=expires_at, epoch=1, signer="stage", signature="stage")


@dataclass
class Stage:
    """`on_its_way_at_most` facts have been sent and are not stored yet. `stream` holds every fact, each once.

    A paper venue lives and dies with the runner and is rebuilt from the stream; with `venue_survives` it knows what a
    real one would: every order that reached it. `submitted` are the effects at which an order was sent.
    """

    config: SessionConfig
    feed: ListedFeed
    on_its_way_at_most: int = 0
    venue_survives: bool = False
    stream: list[Event] = field(default_factory=list)
    effects: int = 0
    submitted: list[int] = field(default_factory=list)
    book: Book | None = None

    def __post_init__(self) -> None:
        self.plan = plan(SESSION, self.config)
        self.start, _ = opening(self.config, self.feed.slices())
        self._ids: set[str] = set()
        self._guard: Guard = guarding.initial(SESSION)
        self._unguarded: deque[Event] = deque()
        self._open()

    def _open(self) -> None:
        name = derived_id(SESSION, "open")
        cause = Cause(name, SESSION, self.start, self.start, name)
        _, facts = open_session(initial(self.plan), cause, Opened("dry_run", self.feed.description, self.start))
        self._store(facts)

    def run(self, crash_at: int | None = None, side: Side = "before") -> State:
        """Trade to the end. With `crash_at`, the runner crashes at that effect once, and another one goes on."""
        try:
            return _Runner(self, crash_at, side).run()
        except CrashedError:
            return _Runner(self, None, side).run()

    def _store(self, facts: Iterable[Event]) -> None:
        for fact in facts:
            if fact.id not in self._ids:
                self._ids.add(fact.id)
                self.stream.append(fact)
                if fact.service == "runner":
                    self._unguarded.append(fact)

    def let_the_guard_work(self) -> None:
        """The guard catches up with the stream."""
        while self._unguarded:
            fact = self._unguarded.popleft()
            self._guard, told = react(guarding.evolve, self._decide, self._guard, fact)
            self._store(told)

    def _decide(self, guard: Guard, event: Event) -> Sequence[Event]:
        return guarding.decide(guard, event, sealed)


class _Runner:
    """One life of the runner's process."""

    def __init__(self, stage: Stage, crash_at: int | None, side: Side) -> None:
        self.stage = stage
        self._crash_at = crash_at
        self._side = side
        self._on_its_way: list[Event] = []
        self._heard = len(stage.stream)
        self._steps = course(stage.config, stage.feed.slices(), stage.start)
        found, untold = asyncio.run(caught_up(self._recollected(), self._steps, None))
        stage._store(untold)
        self._now = found.clock
        self._book = stage.book if stage.venue_survives and stage.book else found.book
        self._conductor = Conductor(found.state, lambda: self._now)

    def _recollected(self) -> Recorded:
        recollection = Recollection(self.stage.plan, lambda signed, signature: True)
        for number, event in enumerate(self.stage.stream, start=1):
            recollection.take(Delivery(subject_of(event), encode(event), number, 0))
        return recollection.result()

    def run(self) -> State:
        conducting = self._conductor.conduct(self._steps)
        answer: Any = None
        while True:
            try:
                effect = conducting.send(answer)
            except StopIteration as end:
                self._flush()
                final: State = end.value
                return final
            answer = self._carried_out(effect)

    def _carried_out(self, effect: Effect) -> Any:
        number, self.stage.effects = self.stage.effects, self.stage.effects + 1
        if number == self._crash_at and self._side == "before":
            raise CrashedError
        if number == self._crash_at and self._side == "within" and isinstance(effect, Store):
            self._reach_the_stream_in_part(effect)
            raise CrashedError
        answer = self._answer(effect)
        if number == self._crash_at:
            raise CrashedError
        return answer

    def _answer(self, effect: Effect) -> Any:
        match effect:
            case Pace():
                return self._word()
            case Listen():
                self._flush()
                self.stage.let_the_guard_work()
                word = self._word()
                assert word is not None, "the session waits for a word that nobody will say"
                return word
            case Store(facts):
                self._on_its_way += facts
                if len(self._on_its_way) > self.stage.on_its_way_at_most:
                    self._flush()
            case Advance(candles):
                self._now = candles[0].close_time
                self._book, reports = match(self._book, candles)
                self.stage.book = self._book
                return reports
            case Perform(action):
                self._flush()
                return self._perform(action)
            case Find(name):
                return order(self._book, name)

    def _perform(self, action: Any) -> Any:
        if isinstance(action, Submit):
            self.stage.submitted.append(self.stage.effects - 1)
            self._book, reports = submit(self._book, action.approval.order, self._now)
        elif isinstance(action, Cancel):
            self._book, reports = cancel(self._book, action.client_order_id, self._now, action.reason)
        else:
            return account(self._book)
        self.stage.book = self._book
        return reports

    def _flush(self) -> None:
        self.stage._store(self._on_its_way)
        self._on_its_way = []

    def _reach_the_stream_in_part(self, effect: Store) -> None:
        """Some of the facts that are on their way, other ones at every effect; of those stored together, none."""
        sent = self._on_its_way if effect.together else [*self._on_its_way, *effect.facts]
        self.stage._store(sent[: self.stage.effects % (len(sent) + 1)])

    def _word(self) -> Input | None:
        while self._heard < len(self.stage.stream):
            event = self.stage.stream[self._heard]
            self._heard += 1
            if event.service == "risk":
                return GuardSpoke(event)
        return None
