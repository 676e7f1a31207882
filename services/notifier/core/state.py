"""What the notifier remembers, folded from facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.notifier.core.fills import Tally
from services.notifier.core.repeats import Streak, Streaks, ended, noted, topic_of
from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted, TradingResumed
from shared.schemas.lifecycle import RunnerEnd, RunnerStart
from shared.schemas.orders import OrderFilled
from shared.schemas.values import STACK


@dataclass(frozen=True, slots=True)
class Session:
    """What a session is called in messages, and its currency."""

    name: str
    quote: str


@dataclass(frozen=True, slots=True)
class State:
    """`ripe` holds what the latest fact made due: streaks to be closed and a tally of fills to be told."""

    sessions: Mapping[str, Session] = field(default_factory=dict)
    halted: frozenset[str] = frozenset()
    released: bool = False
    """Whether the latest fact ended a halt."""
    commands: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Which fact told first of a command to the whole stack: (type, number in CONTROL) to the fact's id."""
    streaks: Streaks = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    ripe_streaks: tuple[Streak, ...] = ()
    ripe_tally: Tally | None = None


def initial() -> State:
    """Before the first fact."""
    return State()


def evolve(state: State, event: Event) -> State:
    """The state after `event`; total and silent."""
    state = _ripened(state, event)
    state = replace(state, released=_releases(state, event))
    match event:
        case RunnerStart():
            session = Session(event.details.config.name, event.details.config.quote)
            return replace(state, sessions={**state.sessions, event.session_id: session})
        case TradingHalted():
            return _commanded(replace(state, halted=state.halted | {event.session_id}), event)
        case TradingResumed():
            resumed = replace(state, halted=state.halted - {event.session_id})
            return _commanded(resumed, event) if state.released else resumed
        case RunnerEnd():
            tallies = {session: tally for session, tally in state.tallies.items() if session != event.session_id}
            return replace(state, halted=state.halted - {event.session_id}, tallies=tallies)
    topic = topic_of(event)
    return replace(state, streaks=noted(state.streaks, topic, event)) if topic else state


def _releases(state: State, event: Event) -> bool:
    return isinstance(event, TradingResumed) and event.session_id in state.halted


def _commanded(state: State, event: TradingHalted | TradingResumed) -> State:
    number = event.details.control_sequence
    if event.details.scope != "stack" or number is None:
        return state
    key = event.type, number
    return replace(state, commands={**state.commands, key: state.commands.get(key, event.id)})


def _ripened(state: State, event: Event) -> State:
    is_end = isinstance(event, RunnerEnd)
    own = topic_of(event)
    over = {topic: streak for topic, streak in ended(state.streaks, event, is_end) if topic != own}
    rest = {topic: streak for topic, streak in state.streaks.items() if topic not in over}
    ripe = tuple(streak for streak in over.values() if streak.held)
    return _tallied(replace(state, streaks=rest, ripe_streaks=ripe), event, is_end)


def _tallied(state: State, event: Event, is_end: bool) -> State:
    tally = state.tallies.get(event.session_id, Tally())
    whole = False
    if isinstance(event, OrderFilled):
        tally, whole = tally.plus(event.order, event.timestamp), event.order.status == "filled"
    if tally.due(event.timestamp, whole) or (is_end and tally.since):
        told = tally.told(event.timestamp)
        return replace(state, tallies={**state.tallies, event.session_id: told}, ripe_tally=tally)
    if tally.since is None:
        return replace(state, ripe_tally=None)
    return replace(state, tallies={**state.tallies, event.session_id: tally}, ripe_tally=None)


def name_of(state: State, session_id: str) -> str:
    """What messages call the session: its file's name, else the beginning of its id; the stack by that word."""
    if session_id == STACK:
        return "stack"
    session = state.sessions.get(session_id)
    return session.name if session else f"session {session_id[:8]}"


def quote_of(state: State, session_id: str) -> str:
    """The session's quote currency, USDT where its beginning was not seen."""
    session = state.sessions.get(session_id)
    return session.quote if session else "USDT"
