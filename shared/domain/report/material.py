"""What a report is made of, gathered from a session's facts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.domain.portfolio import RoundTrip
from shared.domain.summary import Summary, as_document, initial, step
from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted
from shared.schemas.lifecycle import AutocorrectAttempt, ErrorRaised
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
    """What else a reader should know: refused orders by rule, stops, repaired input by rule, errors."""

    refusals: Mapping[str, int] = field(default_factory=dict)
    halts: Sequence[Halted] = ()
    repairs: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that `render` takes. `document` has the fields of `summary.json`, `shadow` the curve of its shadow."""

    document: Mapping[str, Any]
    trades: Sequence[RoundTrip]
    equity: Sequence[Point]
    notes: Notes
    shadow: Sequence[Point] = ()


@dataclass(slots=True)
class _Gathering:
    summary: Summary | None = None
    trades: list[RoundTrip] = field(default_factory=list)
    equity: list[Point] = field(default_factory=list)
    shadow: list[Point] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    halts: list[Halted] = field(default_factory=list)
    errors: int = 0


def gather(events: Iterable[Event]) -> Material:
    """The material of one session from its facts in stream order; ValueError when the session has not started."""
    found = _Gathering()
    for event in events:
        summary, trip = step(found.summary or initial(event.session_id), event)
        found.summary = summary
        if trip is not None:
            found.trades.append(trip)
        _note(found, event)
    if found.summary is None:
        raise ValueError("there are no facts to report on")
    notes = Notes(found.refusals, tuple(found.halts), found.repairs, found.errors)
    return Material(as_document(found.summary), found.trades, found.equity, notes, found.shadow)


def _note(found: _Gathering, event: Event) -> None:
    match event:
        case EquityMarked(service="runner"):
            found.equity.append((event.details.close_time, event.metrics.equity))
        case ShadowMarked():
            found.shadow.append((event.details.close_time, event.details.equity))
        case OrderRefused():
            found.refusals[event.details.rule] += 1
        case TradingHalted():
            halt = event.details
            found.halts.append(Halted(event.market_time, halt.kind, halt.reason, halt.operator))
        case AutocorrectAttempt():
            found.repairs[event.details.rule] += event.details.count
        case ErrorRaised():
            found.errors += 1
