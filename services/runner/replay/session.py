"""A recorded session decided again as a whole. Pure: events in, the outcome out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.runner.core.plan import plan
from services.runner.core.state import initial
from services.runner.replay.difference import Difference
from services.runner.replay.guard import GuardAgain
from services.runner.replay.runner import RunnerAgain
from services.runner.replay.shadow import ShadowAgain
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart


@dataclass
class Replay:
    """One session under replay. `counts` are the events taken so far, by type.

    Give it every event of the session in the stream's order, then ask for `finish`. `words` are the guard's facts of
    the session, known in advance.
    """

    start: RunnerStart
    words: Iterable[Event]
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._runner = RunnerAgain(initial(plan(self.start.session_id, self.start.details.config)))
        self._guard = GuardAgain(self.start, self.words)
        self._shadow = ShadowAgain(self.start)

    def take(self, event: Event) -> Difference | None:
        """The next event; answers the first difference, if one is known by now."""
        self.counts[event.type] += 1
        self._guard.take(event)
        self._runner.take(event)
        self._shadow.take(event)
        return self._difference()

    def finish(self) -> Difference | None:
        """After the last event: the first difference, or None when every decision is the same."""
        self._runner.finish()
        self._shadow.finish()
        return self._difference()

    def _difference(self) -> Difference | None:
        return self._guard.difference or self._runner.difference or self._shadow.difference
