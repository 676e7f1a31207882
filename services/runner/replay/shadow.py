"""The shadow's part of a replay: it is given the recorded candles again, and its marks are compared."""

from collections.abc import Sequence

from services.runner.core.evolve import STOPPING
from services.runner.course import END_OF_DATA, MAX_DURATION, Step
from services.runner.feeds.port import FeedDescription
from services.runner.replay.difference import Difference, first_difference
from services.runner.shadow import Shadow, ShadowError, marked, shadow_plan
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Checkpoint, ErrorRaised, RunnerStart
from shared.schemas.market import Candle, CandleClosed, EquityMarked, ShadowMarked
from shared.schemas.values import iso


class ShadowAgain:
    """Takes a session's events one by one; `difference` is the first mark that came out otherwise.

    A shadow stops trading where the feed or the schedule says so, which the session's record tells only while no
    operator has stopped it before: from such a stop on nothing is compared, nor from where the shadow failed.
    """

    def __init__(self, start: RunnerStart) -> None:
        config, market_start = start.details.config, start.details.market_start
        feed = FeedDescription("replay", config.symbols, config.timeframe, None, ())
        other = shadow_plan(start.session_id, config)
        self.difference: Difference | None = None
        self._shadow = Shadow(other, feed, market_start) if other else None
        self._candles: list[Candle] = []
        self._is_warmup = False
        self._stop: str | None = None
        self._decided: Event | None = None

    def take(self, event: Event) -> None:
        """The next event of the stream."""
        if self._shadow is None or self.difference or event.service != "runner":
            return
        match event:
            case CandleClosed():
                self._closed(event)
            case EquityMarked():
                self._follow(event)
            case ShadowMarked():
                self._compare(event)
            case Checkpoint(details=details) if details.name == STOPPING:
                self._stopped(details.observed)
            case ErrorRaised(details=details) if details.where == "shadow":
                self._shadow = None

    def finish(self) -> None:
        """After the last event: a mark that was decided must have been recorded."""
        self._compare(None)

    def _closed(self, event: CandleClosed) -> None:
        if self._candles and self._candles[0].close_time != event.details.close_time:
            self._follow(None)
        self._candles.append(event.details)
        self._is_warmup = event.phase == "strategy_phase"

    def _stopped(self, reason: str) -> None:
        self._follow(None)
        if reason in (END_OF_DATA, MAX_DURATION):
            self._stop = reason
        else:
            self._shadow = None

    def _follow(self, mark: EquityMarked | None) -> None:
        self._compare(None)
        if self._shadow is None or not self._candles:
            return
        step = Step(tuple(self._candles), self._is_warmup, self._stop)
        self._candles, self._stop = [], None
        try:
            account = self._shadow.follow(step)
        except ShadowError:
            return
        self._decided = marked(mark, account)[0] if mark and account else None

    def _compare(self, recorded: ShadowMarked | None) -> None:
        decided, self._decided = self._decided, None
        if self._shadow is not None and self.difference is None:
            self.difference = first_difference(lambda: _cause(recorded or decided), _listed(recorded), _listed(decided))


def _cause(mark: Event | None) -> str:
    return f"the slice that closed at {iso(mark.market_time)}, by the shadow" if mark else ""


def _listed(fact: Event | None) -> Sequence[Event]:
    return () if fact is None else (fact,)
