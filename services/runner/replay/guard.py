"""The guard's half of a replay: every fact is judged again, and its words compared with those that were stored."""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime

from services.risk.core.guard import CONCERNS, decide, evolve, initial
from services.runner.replay.difference import Difference, first_difference
from shared.domain.decider import react
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, TradingHalted, TradingResumed
from shared.schemas.lifecycle import Heartbeat, RunnerStart
from shared.schemas.orders import Approval, OrderApproved, Ticket


class GuardAgain:
    """Takes a session's events one by one; `difference` is the first word that came out otherwise.

    `words` are all that the guard has told of the session, in order. Those that no fact of the session has caused
    answer operators: they are taken as they stand, at the point where the guard told them.
    """

    def __init__(self, start: RunnerStart, words: Iterable[Event]) -> None:
        told = [word for word in words if not isinstance(word, Heartbeat)]
        self.difference: Difference | None = None
        self._guard = initial(start.session_id, _latched_before(start, told))
        self._words = deque(told)
        self._answers: dict[str, list[Event]] = {}
        for word in told:
            self._answers.setdefault(word.causation_id, []).append(word)
        self._seals = {word.details.intent_id: word.details for word in told if isinstance(word, OrderApproved)}

    def take(self, event: Event) -> None:
        """The next event of the stream."""
        if self.difference:
            return
        if event.service == "risk":
            self._told(event)
        elif event.type in CONCERNS:
            self._judge(event)

    def _told(self, word: Event) -> None:
        if self._words and self._words[0].id == word.id:
            self._guard = evolve(self._guard, self._words.popleft())

    def _judge(self, event: Event) -> None:
        answers = self._answers.pop(event.id, [])
        while answers and self._words[0].id != answers[0].id:
            self._guard = evolve(self._guard, self._words.popleft())
        self.difference = self._decide_again(event, answers)
        for _ in answers:
            self._words.popleft()

    def _decide_again(self, event: Event, answers: Sequence[Event]) -> Difference | None:
        """Judge `event`, before an operator's commands that were told after it, or else behind them.

        The stream tells when the guard answered an operator, not when it heard a fact that it left without an answer.
        """
        before, difference = self._guard, None
        for heard in range(len(self._words) + 1):
            if heard:
                word = self._words[heard - 1]
                if answers or not isinstance(word, TradingHalted | TradingResumed):
                    break
                before = evolve(before, word)
            after, decided = react(evolve, self._decide, before, event)
            found = first_difference(lambda: f"{event.service}'s {event.type} {event.id}", answers, decided)
            if found is None:
                self._guard = after
                for _ in range(heard):
                    self._words.popleft()
                return None
            difference = difference or found
        return difference

    def _decide(self, guard: object, event: Event) -> Sequence[Event]:
        return decide(guard, event, self._sealed)  # type: ignore[arg-type]

    def _sealed(self, session_id: str, intent_id: str, ticket: Ticket, expires_at: datetime) -> Approval:
        """The signature as it was stored: a replay has no seed to sign with."""
        stored = self._seals.get(intent_id)
        seal = {"epoch": 0, "signer": "nobody", "signature": "none"}
        if stored is not None:
            seal = {"epoch": stored.epoch, "signer": stored.signer, "signature": stored.signature}
        return Approval.model_validate({"intent_id": intent_id, "expires_at": expires_at, **seal})


def _latched_before(start: RunnerStart, words: Sequence[Event]) -> Halt | None:
    """The stack's halt under which the session began, by the guard's own first word on it."""
    first = next((word for word in words if word.causation_id == start.id), None)
    return first.details if isinstance(first, TradingHalted) else None
