"""A session's shadow: the same stream decided by another strategy or other parameters, without orders."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from services.runner.backtest import Progress, Watch, begun, run
from services.runner.conduct import Conducting, Pace, Store
from services.runner.core.plan import Plan, PlanError, plan
from services.runner.core.state import State
from services.runner.course import Step, course, opening
from services.runner.feeds.port import Feed, FeedDescription
from services.runner.strategies.port import StrategyError
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, Facts
from shared.schemas.lifecycle import ErrorDetails, ErrorRaised
from shared.schemas.market import CandleClosed, EquityMarked, EquityMetrics, ShadowAccount, ShadowMarked
from shared.schemas.session import SessionConfig
from shared.schemas.trusted import trusted


class ShadowError(RuntimeError):
    """The shadow could not decide on a slice: from here on there is none."""


def shadow_plan(session_id: str, config: SessionConfig) -> Plan | None:
    """The plan of the session's shadow, None without one; PlanError when its strategies can't be run as configured."""
    shadowed = config.shadowed()
    try:
        return plan(session_id, shadowed) if shadowed else None
    except (PlanError, StrategyError) as error:
        raise PlanError(f"shadow: {error}") from None


def _log_end(error: Exception) -> None:
    # Imported here since a backtest pays for it with a tenth of a second, and hardly ever needs it.
    import structlog

    log = structlog.get_logger("shadow")
    log.error("the shadow is gone, the session trades on", reason=str(error), exc_info=error)


class Shadow:
    """Trades a session's steps on a venue and before a guard of its own, both in memory.

    It follows the market and the schedule, and nothing else: no order of its leaves, and a halt, a kill or the wish of
    an operator concerns the session only. What it holds when the session ends stays valued at the last close. After a
    restart it is given the steps from the feed's start again; they are the same, so its marks go on undisturbed.
    """

    def __init__(self, plan: Plan, feed: FeedDescription, start: datetime) -> None:
        conductor, self._market = begun(plan, feed, start, _unheard, None)
        self._ahead: deque[Step] = deque()
        self._conducting = conductor.conduct(self._steps())
        self._answer: Any = None
        self._is_over = False

    def _steps(self) -> Iterator[Step]:
        """The steps as they come. One more is asked for before its time only by a shadow that is through."""
        while self._ahead:
            yield self._ahead.popleft()

    def follow(self, step: Step) -> EquityMetrics | None:
        """The account after the session's next step; None while warming up and after the end. ShadowError, once."""
        if self._is_over:
            return None
        self._ahead.append(step)
        try:
            return self._followed()
        except Exception as error:  # a strategy's own flaw may be of any type, and must not hurt the session
            self._is_over = True
            _log_end(error)
            raise ShadowError(f"{type(error).__name__}: {error}") from error

    def _followed(self) -> EquityMetrics | None:
        """Carry out what the conductor asks for, up to the facts of the step's candles."""
        while not self._is_over:
            try:
                effect = self._conducting.send(self._answer)
            except StopIteration:
                self._is_over = True
                break
            self._answer = self._market.answer(effect)
            if isinstance(effect, Store) and _tells_a_slice(effect.facts):
                mark = mark_among(effect.facts)
                return mark.metrics if mark else None
        return None

    def recall(self, step: Step) -> None:
        """Follow a step that the session decided on before a restart; what there was to tell of it is told."""
        with suppress(ShadowError):
            self.follow(step)

    def beside(self, step: Step, facts: Sequence[Event]) -> Sequence[Event]:
        """What is to be told beside `facts`, which the session has decided on `step`."""
        cause = mark_among(facts) or facts[-1]
        try:
            account = self.follow(step)
        except ShadowError as error:
            return _gone(cause, error)
        return marked(cause, account) if account and isinstance(cause, EquityMarked) else ()


def _unheard(event: Event) -> None:
    """What the shadow decides is told to nobody."""


def _tells_a_slice(facts: Sequence[Event]) -> bool:
    return isinstance(facts[0], CandleClosed)


def mark_among(facts: Sequence[Event]) -> EquityMarked | None:
    """The mark that is one of a step's `facts`; there is none while warming up."""
    return next((fact for fact in facts if isinstance(fact, EquityMarked)), None)


def marked(cause: EquityMarked, account: EquityMetrics) -> Sequence[Event]:
    """The shadow's `account` as a fact that follows from the session's mark of the same bar."""
    facts = Facts(Cause.of(cause), "runner")
    figures = {**account.__dict__, "close_time": cause.details.close_time}
    facts.tell(ShadowMarked, phase=cause.phase, details=trusted(ShadowAccount, figures))
    return facts.told


def _gone(cause: Event, error: ShadowError) -> Sequence[Event]:
    problem = f"the session trades on without its shadow, which failed: {error}"
    facts = Facts(Cause.of(cause), "runner")
    facts.tell(ErrorRaised, phase=cause.phase, level="warning", error=problem, details=ErrorDetails(where="shadow"))
    return facts.told


def accompanied_by(shadow: Shadow | None, conducting: Conducting) -> Conducting:
    """The same session; what its shadow has to tell is stored with its own facts, and behind them."""
    answer: Any = None
    step: Step | None = None
    while True:
        try:
            effect = conducting.send(answer)
        except StopIteration as end:
            final: State = end.value
            return final
        if isinstance(effect, Pace):
            step = effect.step
        if shadow and step and isinstance(effect, Store) and _tells_a_slice(effect.facts):
            effect = Store((*effect.facts, *shadow.beside(step, effect.facts)))
        answer = yield effect


def backtest_beside(plan: Plan, feed: Feed, watch: Watch, progress: Progress | None = None) -> State:
    """Trade `feed` to its end, and with it the session's shadow, if it names one; answers the session's final state."""
    other = shadow_plan(plan.session_id, plan.config)
    start, slices = opening(plan.config, feed.slices())
    conductor, market = begun(plan, feed.description, start, watch, progress)
    shadow = Shadow(other, feed.description, start) if other else None
    return run(accompanied_by(shadow, conductor.conduct(course(plan.config, slices, start))), market)
