"""Which session a starting runner is to trade: the one that it left unfinished, or a new one."""

from collections.abc import Sequence

from services.runner.core.lifecycle import fail_session
from services.runner.core.plan import plan
from services.runner.recollection import Recollection, Recorded, readable
from shared.domain.approval import Verify
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from shared.runtime.snapshots import Snapshots
from shared.schemas.identity import Cause, derived_id
from shared.schemas.lifecycle import RunnerEnd, RunnerStart
from shared.schemas.session import SessionConfig
from shared.schemas.subjects import EVENTS, every_session, writer_subjects
from shared.schemas.values import Mode

_STATE = (
    "services.runner.core",
    "services.runner.strategies",
    "services.runner.kept",
    "shared.domain",
    "shared.schemas",
    "shared.venues.paper",
)
_CODE = ("services.runner", "shared.domain", "shared.schemas", "shared.venues")


async def unfinished(bus: Bus, name: str) -> RunnerStart | None:
    """The newest session called `name` that has started and not ended."""
    return next((start for start in reversed(await _begun(bus)) if start.details.config.name == name), None)


async def under_way(bus: Bus) -> bool:
    """Whether any session has started and not ended."""
    return bool(await _begun(bus))


async def _begun(bus: Bus) -> Sequence[RunnerStart]:
    latest = await bus.latest(EVENTS, [every_session("runner", "runner_start"), every_session("runner", "runner_end")])
    events = [event for event in map(readable, latest) if event is not None]
    ended = {event.session_id for event in events if isinstance(event, RunnerEnd)}
    return [event for event in events if isinstance(event, RunnerStart) and event.session_id not in ended]


async def recorded(bus: Bus, start: RunnerStart, verify: Verify, snapshots: Snapshots) -> Recorded:
    """The session that began with `start`, folded from the stream, from its last snapshot on if there is one.

    FatalError for a version that is not known.
    """
    kept = await snapshots.load()
    recollection = Recollection(plan(start.session_id, start.details.config), verify, kept.state if kept else None)
    subjects = [writer_subjects(start.session_id, "runner"), writer_subjects(start.session_id, "risk")]
    async for stretch in bus.read_in_stretches(EVENTS, subjects, recollection.start):
        for delivery in stretch:
            recollection.take(delivery)
    return recollection.result()


def snapshots_of(bus: Bus, settings: Settings, session_id: str) -> Snapshots:
    """Where the runner keeps a session under way."""
    return Snapshots(settings.data_dir / "snapshots" / "runner" / f"{session_id}.snapshot", bus, _STATE, _CODE)


async def abandon(bus: Bus, start: RunnerStart, found: Recorded) -> None:
    """End an unfinished session that is not to be continued, so that nobody waits for it."""
    at = found.state.market_time or start.market_time
    name = derived_id(start.session_id, "abandoned")
    cause = Cause(name, start.session_id, clock.now(), at, name)
    _, facts = fail_session(found.state, cause, "left unfinished, and started anew with other settings")
    await bus.append(facts, after=found.own_sequence)


def continues(start: RunnerStart, config: SessionConfig, mode: Mode) -> bool:
    """Whether the session was started with `config` in this `mode`, so that it can go on.

    On a live market the session keeps the venue's rules that it began with.
    """
    if start.details.mode != mode:
        return False
    if config.is_live:
        config = config.model_copy(update={"instruments": start.details.config.instruments})
    return start.details.config_digest == config.digest()
