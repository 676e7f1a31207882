"""What the stream tells of a session's strategies at the testnet of its venue."""

from collections.abc import Iterator, Sequence
from datetime import date

from services.runner.preflight.finding import Finding
from services.runner.preflight.promotion import TrackRecord, promotion, unacknowledged
from services.runner.recollection import readable
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from shared.schemas.envelope import Event
from shared.schemas.guard import KillConfirmed, LimitBreached
from shared.schemas.lifecycle import Heartbeat, RunnerEnd, RunnerStart
from shared.schemas.session import SessionConfig
from shared.schemas.subjects import EVENTS, event_subject, every_session
from shared.schemas.values import STACK

_INVARIANTS = frozenset({"books", "reconciliation"})
"""Limits that no market breaks, only a fault: ours, or of the venue's."""


async def promoted(bus: Bus, config: SessionConfig, settings: Settings) -> Sequence[Finding]:
    """Each condition of trading real money, where that is asked for; nothing where it is not."""
    if settings.live_trading and settings.mode != "live":
        return (unacknowledged(dry_run=settings.dry_run),)
    if settings.mode != "live":
        return ()
    return promotion(config, enrolled=await _enrolled(bus), record=await testnet_record(bus, config))


async def _enrolled(bus: Bus) -> bool:
    """Whether the guard that stands last has a second factor: it alone holds the secret, and says so."""
    beats = [readable(beat) for beat in await bus.latest(EVENTS, [event_subject(STACK, "risk", "heartbeat")])]
    return any(isinstance(beat, Heartbeat) and beat.metrics.second_factor is True for beat in beats)


async def testnet_record(bus: Bus, config: SessionConfig) -> TrackRecord:
    """The days and the breaches of all sessions that traded the same strategies at the same venue's testnet.

    Sessions of another name count as well, for a record can't be split or hidden by renaming a file.
    """
    started = map(readable, await bus.latest(EVENTS, [every_session("runner", "runner_start")]))
    sessions = [each.session_id for each in started if isinstance(each, RunnerStart) and _counts(each, config)]
    days: set[date] = set()
    breached: list[str] = []
    for session_id in sessions:
        async for delivery in bus.read(EVENTS, [event_subject(session_id, "runner", "equity_marked")]):
            days.add(delivery.stored_at.date())
        told = [event_subject(session_id, "risk", kind) for kind in ("limit_breached", "kill_confirmed")]
        async for delivery in bus.read(EVENTS, [*told, event_subject(session_id, "runner", "runner_end")]):
            breached += _breaches(readable(delivery))
    return TrackRecord(frozenset(days), tuple(breached))


def _counts(start: RunnerStart, config: SessionConfig) -> bool:
    other = start.details.config
    same = other.venue == config.venue and _strategies(other) == _strategies(config)
    return start.details.mode == "testnet" and same


def _strategies(config: SessionConfig) -> object:
    return config.combine, [(entry.name, entry.params) for entry in config.strategies]


def _breaches(event: Event | None) -> Iterator[str]:
    match event:
        case LimitBreached(details=breach) if breach.limit in _INVARIANTS:
            yield f"{breach.limit} on {event.timestamp:%Y-%m-%d}: {breach.bound} against {breach.observed}"
        case KillConfirmed(status="failed"):
            yield f"a kill on {event.timestamp:%Y-%m-%d} left something open"
        case RunnerEnd(status="failed"):
            yield f"a session failed on {event.timestamp:%Y-%m-%d}: {event.details.reason}"
        case _:
            return
