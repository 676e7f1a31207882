"""What a report is made of, gathered from a session's facts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.domain.portfolio import Portfolio, RoundTrip
from shared.domain.summary import Summary, as_document, initial, step
from shared.domain.troubles import Troubles
from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted
from shared.schemas.lifecycle import TRIED_AGAIN, AutocorrectAttempt, ErrorRaised
from shared.schemas.market import EquityMarked, ShadowMarked
from shared.schemas.orders import OrderRefused

Point = tuple[datetime, Decimal]
"""A market time and the equity then."""


@dataclass(frozen=True, slots=True)
class Halted:
    """A stop of trading: when by the market's clock, what kind of stop, why and by whom."""

    at: datetime
    kind: str
    reason: str
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """What else a reader should know.

    Refused orders by rule, stops, repaired input by rule, errors of our own, troubles with the venue.
    """

    refusals: Mapping[str, int] = field(default_factory=dict)
    halts: Sequence[Halted] = ()
    repairs: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0
    troubles: Troubles = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that `render` takes. `document` has the fields of `summary.json`, `shadow` the curve of its shadow."""

    document: Mapping[str, Any]
    trades: Sequence[RoundTrip]
    equity: Sequence[Point]
    notes: Notes
    shadow: Sequence[Point] = ()


class Gathering:
    """Takes a session's facts one by one, in stream order."""

    def __init__(self) -> None:
        self._summary: Summary | None = None
        self._trades: list[RoundTrip] = []
        self._equity: list[Point] = []
        self._shadow: list[Point] = []
        self._refusals: Counter[str] = Counter()
        self._repairs: Counter[str] = Counter()
        self._halts: list[Halted] = []
        self._errors = 0
        self._ahead: Portfolio | None = None

    def take(self, event: Event) -> None:
        """The next fact."""
        self._catch_up()
        self._summary, trip = step(self._summary or initial(event.session_id), event)
        if trip is not None:
            self._trades.append(trip)
        self._note(event)

    def jump(self, account: Portfolio, trip: RoundTrip | None) -> None:
        """The account as facts that are not told have left it, and the round trip that they completed, if any."""
        self._ahead = account
        if trip is not None:
            self._trades.append(trip)

    def mark(self, at: datetime, equity: Decimal) -> None:
        """A point of the curve."""
        self._equity.append((at, equity))

    def material(self) -> Material:
        """What the facts so far come to; ValueError when the session has not started."""
        self._catch_up()
        if self._summary is None:
            raise ValueError("there are no facts to report on")
        troubles = self._summary.troubles
        notes = Notes(self._refusals, tuple(self._halts), self._repairs, self._errors, troubles)
        return Material(as_document(self._summary), self._trades, self._equity, notes, self._shadow)

    def _catch_up(self) -> None:
        if self._ahead is not None and self._summary is not None:
            self._summary, self._ahead = self._summary._replace(portfolio=self._ahead), None

    def _note(self, event: Event) -> None:
        match event:
            case EquityMarked(service="runner"):
                self.mark(event.details.close_time, event.metrics.equity)
            case ShadowMarked():
                self._shadow.append((event.details.close_time, event.details.equity))
            case OrderRefused():
                self._refusals[event.details.rule] += 1
            case TradingHalted():
                halt = event.details
                self._halts.append(Halted(event.market_time, halt.kind, halt.reason, halt.operator))
            case AutocorrectAttempt() if event.details.rule != TRIED_AGAIN:
                self._repairs[event.details.rule] += event.details.count
            case ErrorRaised() if not event.details.api:
                self._errors += 1


def gather(events: Iterable[Event]) -> Material:
    """The material of one session from its facts in stream order; ValueError when the session has not started."""
    gathering = Gathering()
    for event in events:
        gathering.take(event)
    return gathering.material()
