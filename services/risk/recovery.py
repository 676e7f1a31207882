"""What an earlier life of the guard has left in the streams."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.risk.core.stack import latched
from services.risk.incoming import needed
from shared.runtime.bus import Bus
from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import UndecodableError
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt
from shared.schemas.lifecycle import Heartbeat
from shared.schemas.subjects import (
    DEADLETTER,
    EVENTS,
    deadletter_subject,
    event_subject,
    every_session,
    parse_event_subject,
)
from shared.schemas.values import STACK

COMMAND_FACTS = ("trading_halted", "trading_resumed", "flatten_ordered", "command_refused")
"""The facts that commands lead to."""


_ANSWERS = [name for name, kind in BY_NAME.items() if "risk" in kind.WRITERS and kind is not Heartbeat]
"""What the guard may have told in answer to a fact."""


@dataclass(frozen=True, slots=True)
class History:
    """Where to go on. `halt` is the stack's latch, `unfinished` and `ended` the sessions.

    `answers` holds the guard's stored facts of unfinished sessions by what caused them. EVENTS is to be read from
    number `first_event` on, CONTROL was carried out up to number `commands_done`. `set_aside` are the numbers of
    messages in EVENTS that are dead letters already.
    """

    halt: Halt | None
    unfinished: tuple[str, ...]
    ended: frozenset[str]
    answers: Mapping[str, list[Event]]
    first_event: int
    commands_done: int
    set_aside: frozenset[int]


async def recall(bus: Bus) -> History:
    """Read what is stored. Unreadable facts under the guard's own name are passed over: the loop tells of them."""
    words = [word async for word in _readable(bus, [every_session("risk", name) for name in COMMAND_FACTS])]
    starts = await _sessions(bus, "runner_start")
    ended = frozenset(await _sessions(bus, "runner_end"))
    halted = {word.session_id: number for number, word in reversed(words) if word.type == "trading_halted"}
    first_heard = {name: min(starts.get(name, number), number) for name, number in {**starts, **halted}.items()}
    unfinished = {name: number for name, number in first_heard.items() if name not in ended and name != STACK}
    return History(
        halt=_latch(word for _, word in words),
        unfinished=tuple(unfinished),
        ended=ended,
        answers=await _answers(bus, unfinished),
        first_event=min(unfinished.values(), default=0),
        commands_done=max((word.details.control_sequence or 0 for _, word in words), default=0),
        set_aside=await _dead_letters(bus),
    )


async def _readable(bus: Bus, subjects: Sequence[str]) -> AsyncIterator[tuple[int, Event]]:
    """Each fact once: a copy of an old resume must not lift a newer kill."""
    seen: set[str] = set()
    async for delivery in bus.read(EVENTS, subjects):
        with suppress(UndecodableError):
            fact = needed(delivery)
            if fact.id not in seen:
                seen.add(fact.id)
                yield delivery.sequence, fact


async def _sessions(bus: Bus, kind: str) -> dict[str, int]:
    """Where each session's first fact of `kind` stands; a copy further on does not count."""
    found: dict[str, int] = {}
    async for delivery in bus.read(EVENTS, [every_session("runner", kind)]):
        found.setdefault(parse_event_subject(delivery.subject)[0], delivery.sequence)
    return found


async def _answers(bus: Bus, sessions: Iterable[str]) -> dict[str, list[Event]]:
    answers: dict[str, list[Event]] = {}
    subjects = [event_subject(name, "risk", kind) for name in sessions for kind in _ANSWERS]
    if not subjects:
        return answers
    async for _, fact in _readable(bus, subjects):
        answers.setdefault(fact.causation_id, []).append(fact)
    return answers


async def _dead_letters(bus: Bus) -> frozenset[int]:
    numbers = set()
    async for letter in bus.read(DEADLETTER, [deadletter_subject("risk")]):
        if letter.headers.get("Leitstand-Subject", "").startswith("events."):
            numbers.add(int(letter.headers.get("Leitstand-Sequence", 0)))
    return frozenset(numbers)


def _latch(words: Iterable[Event]) -> Halt | None:
    halt: Halt | None = None
    for word in words:
        halt = latched(halt, word)
    return halt
