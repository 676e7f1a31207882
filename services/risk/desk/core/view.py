"""What the desk has learnt from the stream: a fold over every fact, beside what the guard itself knows."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from services.risk.desk.core.feed import EMPTY, Feed, line_of, noted
from services.risk.desk.core.venue import VenueHealth, with_fact
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import (
    Heartbeat,
    PhaseEnd,
    PhaseStart,
    RunnerEnd,
    RunnerStart,
    SessionStart,
)
from shared.schemas.market import EquityMarked

POINTS = 240
"""A curve has at most so many points; then every second one is dropped."""
SESSIONS = 200
"""So many sessions are listed, the oldest that have ended going first."""


class Point(NamedTuple):
    """Equity at a moment of the market's clock."""

    at: datetime
    equity: Decimal


class Beat(NamedTuple):
    """A sign of life, and how long its writer had been up then."""

    at: datetime
    uptime_seconds: float


class Session(NamedTuple):
    """One session as its facts tell it; `ended_at` is None while it runs. `stride` thins out the curve."""

    id: str
    start: SessionStart
    started_at: datetime
    status: str = "running"
    ended_at: datetime | None = None
    phase: str | None = None
    market_time: datetime | None = None
    equity: Decimal = Decimal(0)
    pnl: Decimal = Decimal(0)
    drawdown: Decimal = Decimal(0)
    trades: int = 0
    wins: int = 0
    curve: tuple[Point, ...] = ()
    stride: int = 1
    marks: int = 0
    beat: Beat | None = None


class DeskView(NamedTuple):
    """Everything that the stream tells and that the guard does not keep. `sequence` is the last fact's number.

    `beats` are the services' last heartbeats, the runners' being kept with their sessions.
    """

    sequence: int = 0
    feed: Feed = EMPTY
    sessions: Mapping[str, Session] = MappingProxyType({})
    beats: Mapping[str, Beat] = MappingProxyType({})
    venue: VenueHealth = VenueHealth()


def evolve(view: DeskView, sequence: int, event: Event) -> DeskView:
    """The view after the fact that is number `sequence` in EVENTS; one that was taken in before changes nothing."""
    if sequence <= view.sequence:
        return view
    return DeskView(
        sequence,
        noted(view.feed, line_of(sequence, event)),
        with_session(view.sessions, event),
        _with_beat(view.beats, event),
        with_fact(view.venue, event, _simulated(view.sessions.get(event.session_id))),
    )


def with_session(sessions: Mapping[str, Session], event: Event) -> Mapping[str, Session]:
    """The sessions after a fact; most facts leave them as they are."""
    if isinstance(event, RunnerStart):
        return _opened(sessions, event)
    known = sessions.get(event.session_id)
    if known is None or event.service != "runner":
        return sessions
    after = _moved(known, event)
    return sessions if after is known else {**sessions, event.session_id: after}


def _opened(sessions: Mapping[str, Session], event: RunnerStart) -> Mapping[str, Session]:
    if event.session_id in sessions:
        return sessions
    capital = event.details.config.initial_capital
    kept = {**sessions, event.session_id: Session(event.session_id, event.details, event.timestamp, equity=capital)}
    over = [name for name, session in kept.items() if session.ended_at is not None]
    for name in over[: max(len(kept) - SESSIONS, 0)]:
        del kept[name]
    return kept


def _moved(session: Session, event: Event) -> Session:
    if isinstance(event, EquityMarked):
        return _marked(session, event)
    if isinstance(event, Heartbeat):
        return session._replace(beat=_beat(event))
    if isinstance(event, PhaseStart):
        return session._replace(phase=event.phase)
    if isinstance(event, PhaseEnd):
        return session._replace(phase=None if event.phase == session.phase else session.phase)
    if isinstance(event, RunnerEnd):
        final = event.metrics
        return session._replace(
            status=event.status,
            ended_at=event.timestamp,
            phase=None,
            equity=final.equity,
            pnl=final.pnl,
            trades=final.trades,
            wins=final.wins,
        )
    return session


def _marked(session: Session, event: EquityMarked) -> Session:
    at, told = event.details.close_time, event.metrics
    curve, stride = session.curve, session.stride
    if session.marks % stride == 0:
        curve = (*curve, Point(at, told.equity))
    if len(curve) > POINTS:
        curve, stride = curve[::2], stride * 2
    return session._replace(
        market_time=at,
        equity=told.equity,
        pnl=told.pnl,
        drawdown=told.drawdown,
        trades=told.trades,
        wins=told.wins,
        curve=curve,
        stride=stride,
        marks=session.marks + 1,
    )


def _with_beat(beats: Mapping[str, Beat], event: Event) -> Mapping[str, Beat]:
    if not isinstance(event, Heartbeat) or event.service == "runner":
        return beats
    return {**beats, event.service: _beat(event)}


def _beat(event: Heartbeat) -> Beat:
    return Beat(event.timestamp, event.metrics.uptime_seconds)


def _simulated(session: Session | None) -> bool:
    return session is None or session.start.mode == "dry_run"
