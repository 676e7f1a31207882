"""Which messages follow from a fact."""

from collections.abc import Iterator, Sequence

from services.notifier.core.fills import summed_up
from services.notifier.core.message import Message, Severity
from services.notifier.core.repeats import Streak, topic_of
from services.notifier.core.sentences import SENTENCES, Told
from services.notifier.core.state import State, name_of, quote_of
from services.notifier.core.wording import clock, instant
from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted, TradingResumed
from shared.schemas.lifecycle import AutocorrectAttempt, Checkpoint
from shared.schemas.orders import AccountReconciled

_MARKS: dict[Severity, str] = {"info": "", "warning": "[warning] ", "critical": "[ALARM] "}


def decide(state: State, event: Event) -> Sequence[Message]:
    """The messages that `event` leads to, on the state that has evolved on it, in the order to be sent."""
    told = list(_told(state, event))
    return [
        Message(event, part, severity, _MARKS[severity] + _text(state, event, sentence))
        for part, (severity, sentence) in enumerate(told)
    ]


def _text(state: State, event: Event, sentence: str) -> str:
    return f"{name_of(state, event.session_id)}: {sentence} ({instant(event.market_time)})"


def _told(state: State, event: Event) -> Iterator[Told]:
    quote = quote_of(state, event.session_id)
    if state.ripe_tally is not None:
        yield Told("info", summed_up(state.ripe_tally, quote))
    for streak in state.ripe_streaks:
        yield _closing(streak, quote)
    if event.type in SENTENCES and _deserves(state, event):
        yield _opening(state, event, SENTENCES[event.type](event, quote))


def _closing(streak: Streak, quote: str) -> Told:
    severity, sentence = SENTENCES[streak.latest.type](streak.latest, quote)
    return Told(severity, f"{streak.held} more since {clock(streak.market_time)}, the last: {sentence}")


def _opening(state: State, event: Event, told: Told) -> Told:
    topic = topic_of(event)
    before = state.streaks[topic].before if topic else 0
    return Told(told.severity, f"{told.sentence}, and {before} more before") if before else told


def _deserves(state: State, event: Event) -> bool:
    topic = topic_of(event)
    if topic is not None:
        return state.streaks[topic].told_by == event.id
    match event:
        case TradingResumed():
            return state.released and _is_first_word(state, event)
        case TradingHalted():
            return _is_first_word(state, event)
        case Checkpoint():
            return event.status == "fail"
        case AccountReconciled():
            return event.level != "info"
        case AutocorrectAttempt():
            return event.status != "started"
    return True


def _is_first_word(state: State, event: TradingHalted | TradingResumed) -> bool:
    """A command to the whole stack is told once, not again for every session."""
    number = event.details.control_sequence
    if event.details.scope != "stack" or number is None:
        return True
    return state.commands[event.type, number] == event.id
