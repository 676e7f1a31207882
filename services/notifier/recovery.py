"""What a starting notifier has to know: where to begin, what it told already, what it still owes."""

from dataclasses import dataclass, field
from datetime import timedelta

from services.notifier.core.message import Message
from services.notifier.reader import Reader
from shared.runtime import clock
from shared.runtime.bus import Bus, Delivery
from shared.schemas.catalogue import EVENT_TYPES
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import AlertFailed, AlertSent, Heartbeat
from shared.schemas.subjects import EVENTS, every_session, parse_event_subject

RECENT = timedelta(minutes=1)
"""Without a position, for example on the very first start, only what was stored since then is told."""
_LOOK_BACK = 1000


def _subjects(kind: type[Event]) -> list[str]:
    writers = {"runner"} if kind is Heartbeat else kind.WRITERS
    return [every_session(writer, kind.model_fields["type"].default) for writer in sorted(writers)]


_OUTCOMES = (AlertSent, AlertFailed)
FACTS = [s for kind in EVENT_TYPES if "notifier" in kind.READERS and kind not in _OUTCOMES for s in _subjects(kind)]
"""The facts that messages follow from, with the runner's heartbeat as the clock that closes summaries."""
OUTCOMES = [s for kind in _OUTCOMES for s in _subjects(kind)]


@dataclass(slots=True)
class Recovered:
    """`owed` are messages by the number of their fact, `known` the ids of outcomes that are told already."""

    owed: list[tuple[int, Message]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    read_up_to: int = 0


async def recover(bus: Bus, reader: Reader, position: int | None) -> Recovered:
    """Let `reader` fold what is stored, from the start of the sessions that still run on; nothing is sent here."""
    recovered = Recovered(read_up_to=await bus.last_sequence(EVENTS))
    since = clock.now() - RECENT
    start = await _beginning(bus, position, recovered.read_up_to)
    async for delivery in bus.read(EVENTS, [*FACTS, *OUTCOMES], start):
        recovered.read_up_to = max(recovered.read_up_to, delivery.sequence)
        is_new = delivery.sequence > position if position is not None else delivery.stored_at >= since
        await _take(recovered, reader, delivery, is_new)
    return recovered


async def _take(recovered: Recovered, reader: Reader, delivery: Delivery, is_new: bool) -> None:
    event = await reader.decoded(delivery, is_new)
    if isinstance(event, _OUTCOMES):
        recovered.known.add(event.id)
    elif event is not None:
        messages = await reader.messages(delivery, event)
        recovered.owed += [(delivery.sequence, message) for message in messages if is_new]


async def _beginning(bus: Bus, position: int | None, last: int) -> int:
    """The earliest of: the fact after the position, and the starts of sessions that have no end."""
    starts = await bus.latest(EVENTS, [every_session("runner", "runner_start")])
    ends = await bus.latest(EVENTS, [every_session("runner", "runner_end")])
    ended = {parse_event_subject(delivery.subject)[0] for delivery in ends}
    running = [start.sequence for start in starts if parse_event_subject(start.subject)[0] not in ended]
    return min([*running, position + 1 if position is not None else max(last - _LOOK_BACK, 1)])
