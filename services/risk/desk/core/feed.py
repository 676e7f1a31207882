"""The activity feed: the latest facts of every type, so that a flood of one leaves the others to be found."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from shared.schemas.envelope import Event
from shared.schemas.lifecycle import (
    AlertSent,
    Checkpoint,
    ConnectionLost,
    ConnectionRestored,
    PhaseEnd,
    PhaseStart,
    ReportReady,
    SummaryUpdated,
)
from shared.schemas.market import CandleClosed, EquityMarked, SignalRaised
from shared.schemas.orders import Fill, OrderState, Ticket, VenueObserved
from shared.schemas.values import iso, plain

KEPT = 200
"""So many lines of each type are remembered."""
LEVELS = ("debug", "info", "warning", "error")


class Line(NamedTuple):
    """One fact in the feed. `sequence` is its number in EVENTS, `text` is for people."""

    sequence: int
    at: datetime
    session_id: str
    service: str
    type: str
    phase: str | None
    level: str
    text: str


class Wanted(NamedTuple):
    """What a reader of the feed asks for. Types that begin with a minus are left out; `level` is the lowest."""

    types: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    phase: str | None = None
    level: str = "debug"
    since: datetime | None = None
    until: datetime | None = None


Feed = Mapping[str, tuple[Line, ...]]
EMPTY: Feed = MappingProxyType({})


def noted(feed: Feed, line: Line) -> Feed:
    """The feed with one more line."""
    return {**feed, line.type: (*feed.get(line.type, ())[1 - KEPT :], line)}


def found(feed: Feed, wanted: Wanted, limit: int) -> list[Line]:
    """The newest lines that are wanted, newest first, at most `limit`."""
    lines = [line for kind in feed.values() for line in kind if _fits(line, wanted)]
    return sorted(lines, key=lambda line: line.sequence, reverse=True)[:limit]


def since(feed: Feed, sequence: int, limit: int) -> list[Line]:
    """The newest lines after number `sequence`, oldest first, at most `limit`."""
    lines = (line for kind in feed.values() for line in kind if line.sequence > sequence)
    return sorted(lines, key=lambda line: line.sequence)[-limit:]


def wanted_types(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The types to show and the types to leave out, from `order_filled,-heartbeat`; empty means all."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    out = frozenset(name[1:] for name in names if name.startswith("-"))
    return frozenset(name for name in names if not name.startswith("-")), out


def line_of(sequence: int, event: Event) -> Line:
    """The line that tells of a fact."""
    return Line(
        sequence,
        event.timestamp,
        event.session_id,
        event.service,
        event.type,
        event.phase,
        event.level,
        text_of(event),
    )


def as_document(line: Line) -> dict[str, object]:
    """The line as the page and `/api/events` give it."""
    return {**line._asdict(), "at": iso(line.at)}


def text_of(event: Event) -> str:
    """A fact in one line: what its writer says of it, else its particulars."""
    if event.message or event.error:
        return event.message or event.error or ""
    particulars = _PARTICULARS.get(type(event))
    if particulars:
        return particulars(event)
    return _of_order(event.order) or event.status or ""


def _of_order(order: object) -> str:
    if isinstance(order, Fill):
        return f"{order.side.value} {plain(order.qty)} {order.symbol} at {plain(order.price)}, fee {plain(order.fee)}"
    if isinstance(order, Ticket):
        return f"{order.purpose}: {order.side.value} {plain(order.qty)} {order.symbol}, {order.type.value}"
    if isinstance(order, OrderState):
        return f"{order.side.value} {plain(order.qty)} {order.symbol}: {order.status}"
    return ""


def _candle(event: CandleClosed) -> str:
    return f"{event.details.symbol} closed at {plain(event.details.close)}"


def _equity(event: EquityMarked) -> str:
    return f"equity {event.metrics.equity:,.2f}"


def _signal(event: SignalRaised) -> str:
    signal = event.details
    return f"{signal.strategy}: {signal.symbol} to weight {plain(signal.weight)}, {signal.reason}"


def _checkpoint(event: Checkpoint) -> str:
    return f"{event.details.name}: {event.status}, {event.details.observed}"


def _phase(event: PhaseStart | PhaseEnd) -> str:
    return f"{event.phase.replace('_', ' ')}: {event.status}"


def _message(event: AlertSent) -> str:
    return f"{event.details.channel}: {event.details.text}"


def _file(event: SummaryUpdated | ReportReady) -> str:
    return event.details.path


def _venue(event: VenueObserved) -> str:
    held = ", ".join(f"{plain(each.qty)} {each.symbol}" for each in event.details.holdings) or "no holdings"
    return f"the venue shows {len(event.details.open_orders)} open orders and {held}"


def _connection(event: ConnectionLost | ConnectionRestored) -> str:
    return event.details.peer


_PARTICULARS: dict[type[Event], Callable[..., str]] = {
    CandleClosed: _candle,
    EquityMarked: _equity,
    SignalRaised: _signal,
    Checkpoint: _checkpoint,
    PhaseStart: _phase,
    PhaseEnd: _phase,
    AlertSent: _message,
    SummaryUpdated: _file,
    ReportReady: _file,
    VenueObserved: _venue,
    ConnectionLost: _connection,
    ConnectionRestored: _connection,
}


def _fits(line: Line, wanted: Wanted) -> bool:
    return (
        (not wanted.types or line.type in wanted.types)
        and line.type not in wanted.without
        and wanted.phase in (None, line.phase)
        and LEVELS.index(line.level) >= LEVELS.index(wanted.level)
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.until is None or line.at <= wanted.until)
    )
