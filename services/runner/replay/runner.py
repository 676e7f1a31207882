"""The runner's half of a replay: what it was given is given to its core again, in the stream's order."""

from collections.abc import Iterator, Sequence

from services.runner.core.causes import cause_of
from services.runner.core.decide import handle
from services.runner.core.evolve import evolve
from services.runner.core.inputs import (
    HEEDED,
    AccountObserved,
    CallFailed,
    CallSucceeded,
    Examined,
    GuardHeard,
    GuardSilent,
    GuardSpoke,
    HealthChanged,
    HoursTurned,
    Input,
    KillHeard,
    LinkLost,
    LinkRestored,
    Reported,
    SliceClosed,
    StopRequested,
)
from services.runner.core.state import State
from services.runner.replay.difference import Difference, first_difference
from services.runner.replay.inputs import input_of
from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted
from shared.schemas.lifecycle import Heartbeat
from shared.schemas.market import ShadowMarked
from shared.schemas.values import iso

_NO_DECISIONS = frozenset({Heartbeat, ShadowMarked})


class RunnerAgain:
    """Takes a session's events one by one; `difference` is the first decision that came out otherwise.

    The stream tells when the guard spoke, not when the runner heard it. Words that the runner left without an answer
    may therefore have been heard before or after its next facts: any such moment that explains these is taken, for a
    kill the latest, for the runner hears that on the CONTROL stream itself and tells of it.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.difference: Difference | None = None
        self._facts: list[Event] = []
        self._unheard: list[Event] = []
        self._meanwhile: list[Event] = []
        self._guard: dict[str, Event] = {}

    def take(self, event: Event) -> None:
        """The next event of the stream."""
        if event.service == "risk" and type(event) in HEEDED:
            (self._meanwhile if self._facts else self._unheard).append(event)
            self._guard[event.id] = event
        elif event.service == "runner" and type(event) not in _NO_DECISIONS:
            if self._facts and self._facts[0].causation_id != event.causation_id:
                self.finish()
            self._facts.append(event)

    def finish(self) -> None:
        """Decide again what the events taken so far hold whole."""
        if not self._facts or self.difference:
            return
        facts, self._facts = self._facts, []
        self._redecide(facts)
        self._unheard, self._meanwhile = [*self._unheard, *self._meanwhile], []

    def _redecide(self, facts: Sequence[Event]) -> None:
        cause = self._guard.get(facts[0].causation_id)
        given = GuardSpoke(cause) if cause else input_of(facts)
        if given is None:
            for fact in facts:
                self.state = evolve(self.state, fact)
        else:
            self._decide_again(given, facts)

    def _decide_again(self, given: Input, facts: Sequence[Event]) -> None:
        differences = []
        for count, acted in _possibly_heard(self._unheard, given):
            state, difference = self._attempt(self._unheard[:count], acted, given, facts)
            if difference is None:
                self.state = state
                self._unheard = [word for word in self._unheard[count:] if word.id != facts[0].causation_id]
                return
            differences.append(difference)
        self.difference = differences[0]

    def _attempt(
        self, heard: Sequence[Event], acted: bool, given: Input, facts: Sequence[Event]
    ) -> tuple[State, Difference | None]:
        state, at = self.state, facts[0].timestamp
        for word in heard:
            before = GuardSpoke(word)
            state, told = handle(state, before, cause_of(state, before, at)) if acted else (evolve(state, word), ())
            if told:
                return state, Difference(named(before), None, told[0])
        state, told = handle(state, given, cause_of(state, given, at))
        return state, first_difference(lambda: named(given), facts, told)


def _possibly_heard(unheard: Sequence[Event], given: Input) -> Iterator[tuple[int, bool]]:
    """How many words may have come before, and whether they were acted upon or only read at a restart."""
    if not unheard:
        lengths = [0]
    elif isinstance(given, GuardSpoke):
        before = unheard.index(given.event) if given.event in unheard else 0
        lengths = [before]
    else:
        before_a_kill = next((place for place, word in enumerate(unheard) if _is_kill(word)), len(unheard))
        sooner, later = range(before_a_kill + 1), range(before_a_kill + 1, len(unheard) + 1)
        lengths = [*reversed(sooner), *later] if isinstance(given, SliceClosed) else [*sooner, *later]
    yield from ((length, True) for length in lengths)
    if unheard:
        yield lengths[-1] if isinstance(given, GuardSpoke) else len(unheard), False


def _is_kill(word: Event) -> bool:
    return isinstance(word, TradingHalted) and word.details.kind == "kill"


def named(given: Input) -> str:
    """What a decision followed from, in words."""
    match given:
        case SliceClosed(candles):
            return f"the slice that closed at {iso(candles[0].close_time)}"
        case GuardSpoke(event):
            return f"the guard's {event.type} {event.id}"
        case KillHeard(command):
            return f"kill {command.sequence} on the CONTROL stream"
        case GuardSilent(missing):
            return f"the silence of the {missing}"
        case GuardHeard():
            return "the guard that is heard again"
        case StopRequested(reason):
            return f"the wish to stop: {reason}"
        case Reported(reports):
            return f"the venue's report: {', '.join(type(r).__name__.lower() for r in reports) or 'nothing'}"
        case Examined():
            return "the venue's statement"
        case CallFailed() | CallSucceeded() | LinkLost() | LinkRestored():
            return "trouble with the venue"
        case AccountObserved():
            return "what the venue showed"
        case HealthChanged(peer):
            return f"the health of {peer}"
        case HoursTurned(hours):
            return f"the exchange's turn to {hours.standing}"
