"""Which session a starting runner is to trade: the one that it left unfinished, or a new one."""

from dataclasses import dataclass

import structlog

from services.runner.core.evolve import FOLDED, evolve
from services.runner.core.lifecycle import fail_session
from services.runner.core.plan import plan
from services.runner.core.state import State, initial
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.schemas.codec import UndecodableError, UnknownVersionError, decode
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, derived_id
from shared.schemas.lifecycle import RunnerEnd, RunnerStart
from shared.schemas.session import SessionConfig
from shared.schemas.subjects import EVENTS, every_session, parse_event_subject, session_subjects

_log = structlog.get_logger("sessions")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A session as the stream holds it. `own_sequence` is the number of the runner's last fact, `sequence` of any."""

    state: State
    events: tuple[Event, ...]
    own_sequence: int
    sequence: int


async def unfinished(bus: Bus, name: str) -> RunnerStart | None:
    """The newest session called `name` that has started and not ended."""
    latest = await bus.latest(EVENTS, [every_session("runner", "runner_start"), every_session("runner", "runner_end")])
    events = [event for event in map(_readable, latest) if event is not None]
    ended = {event.session_id for event in events if isinstance(event, RunnerEnd)}
    starts = [event for event in events if isinstance(event, RunnerStart) and event.session_id not in ended]
    return next((start for start in reversed(starts) if start.details.config.name == name), None)


async def recorded(bus: Bus, start: RunnerStart) -> Recorded:
    """The session that began with `start`, folded from the stream. FatalError for a version that is not known."""
    state = initial(plan(start.session_id, start.details.config))
    events: list[Event] = []
    own = sequence = 0
    async for delivery in bus.read(EVENTS, [session_subjects(start.session_id)]):
        event, sequence = _readable(delivery), delivery.sequence
        own = sequence if parse_event_subject(delivery.subject)[1] == "runner" else own
        if event is not None:
            state = evolve(state, event)
            events.append(event)
    return Recorded(state, tuple(events), own, sequence)


def _readable(delivery: Delivery) -> Event | None:
    """The fact in `delivery`; None for what was put aside when it was heard first, and for facts of no concern here.

    FatalError for a fact in a version that is not known: a state without it would be wrong.
    """
    try:
        return decode(delivery.subject, delivery.payload)
    except UnknownVersionError as error:
        if parse_event_subject(delivery.subject)[2] not in FOLDED:
            return None
        raise FatalError(f"the session can't go on without message {delivery.sequence} of {EVENTS}: {error}") from None
    except UndecodableError as error:
        _log.warning("passed over", subject=delivery.subject, sequence=delivery.sequence, reason=str(error))
        return None


async def abandon(bus: Bus, start: RunnerStart) -> None:
    """End an unfinished session that is not to be continued, so that nobody waits for it."""
    found = await recorded(bus, start)
    at = found.state.market_time or start.market_time
    name = derived_id(start.session_id, "abandoned")
    cause = Cause(name, start.session_id, clock.now(), at, name)
    _, facts = fail_session(found.state, cause, "left unfinished, and started anew with other settings")
    await bus.append(facts, after=found.own_sequence)


def continues(start: RunnerStart, config: SessionConfig) -> bool:
    """Whether `config` is what the session was started with, so that it can go on."""
    return start.details.config_digest == config.digest()
