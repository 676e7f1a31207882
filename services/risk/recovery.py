"""What an earlier life of the guard has left in the streams."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.risk.core.memory import Memory
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

COMMAND_FACTS = ("trading_halted", "trading_resumed", "flatten_ordered", "limit_changed", "command_refused")
"""The facts that commands lead to."""


_ANSWERS = [name for name, kind in BY_NAME.items() if "risk" in kind.WRITERS and kind is not Heartbeat]
"""What the guard may have told in answer to a fact."""


@dataclass(frozen=True, slots=True)
class History:
    """Where to go on. `halt` is the stack's latch, `unfinished` and `ended` the sessions.

    `answers` holds the guard's stored facts of unfinished sessions by what caused them. EVENTS is to be read from
    number `first_event` on, CONTROL was carried out up to number `commands_done`. `set_aside` are the numbers of
    messages in EVENTS that are dead letters already. `memory` is what an earlier guard knew at `first_event`.
    """

    halt: Halt | None
    unfinished: tuple[str, ...]
    ended: frozenset[str]
    answers: Mapping[str, list[Event]]
    first_event: int
    commands_done: int
    set_aside: frozenset[int]
    memory: Memory | None = None


async def recall(bus: Bus) -> History:
    """Read what is stored. Unreadable facts under the guard's own name are passed over: the loop tells of them."""
    words = [word async for word in _readable(bus, _subjects(COMMAND_FACTS))]
    starts = await _sessions(bus, "runner_start")
    ended = frozenset(await _sessions(bus, "runner_end"))
    halted = {word.session_id: number for number, word in reversed(words) if word.type == "trading_halted"}
    first_heard = {name: min(starts.get(name, number), number) for name, number in {**starts, **halted}.items()}
    unfinished = {name: number for name, number in first_heard.items() if name not in ended and name != STACK}
    own = [event_subject(name, "risk", kind) for name in unfinished for kind in _ANSWERS]
    return History(
        halt=_latch(None, (word for _, word in words)),
        unfinished=tuple(unfinished),
        ended=ended,
        answers=_by_cause([word async for _, word in _readable(bus, own)] if own else []),
        first_event=min(unfinished.values(), default=0),
        commands_done=_commands_done(word for _, word in words),
        set_aside=await _dead_letters(bus),
    )


async def recall_since(bus: Bus, memory: Memory) -> History:
    """Read what has been stored since `memory`, and nothing of what lies before it."""
    own = [word async for _, word in _readable(bus, _subjects(_ANSWERS), memory.next_event)]
    words = [word for word in own if word.type in COMMAND_FACTS]
    stack = memory.post.stack
    return History(
        halt=_latch(stack.halt, words),
        unfinished=tuple(stack.guards),
        ended=frozenset(stack.ended),
        answers=_by_cause(own),
        first_event=memory.next_event,
        commands_done=max(memory.next_command - 1, _commands_done(words)),
        set_aside=await _dead_letters(bus),
        memory=memory,
    )


def _subjects(kinds: Iterable[str]) -> list[str]:
    return [every_session("risk", kind) for kind in kinds]


def _commands_done(words: Iterable[Event]) -> int:
    return max((word.details.control_sequence or 0 for word in words), default=0)


def _by_cause(answers: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for answer in answers:
        found.setdefault(answer.causation_id, []).append(answer)
    return found


async def _readable(bus: Bus, subjects: Sequence[str], start: int = 1) -> AsyncIterator[tuple[int, Event]]:
    """Each fact once: a copy of an old resume must not lift a newer kill."""
    seen: set[str] = set()
    async for delivery in bus.read(EVENTS, subjects, start):
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


async def _dead_letters(bus: Bus) -> frozenset[int]:
    numbers = set()
    async for letter in bus.read(DEADLETTER, [deadletter_subject("risk")]):
        if letter.headers.get("Leitstand-Subject", "").startswith("events."):
            numbers.add(int(letter.headers.get("Leitstand-Sequence", 0)))
    return frozenset(numbers)


def _latch(halt: Halt | None, words: Iterable[Event]) -> Halt | None:
    for word in words:
        halt = latched(halt, word)
    return halt
