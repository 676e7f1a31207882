"""A guard that goes on from a snapshot knows what one knows that has read everything, and reads only the rest."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.risk.core.stack import Stack
from services.risk.recovery import recall, recall_since
from services.risk.running import snapshots_of
from services.risk.service import GuardService
from services.risk.watch import Watch
from shared.schemas.envelope import Event
from shared.schemas.subjects import CONTROL, EVENTS
from tests.bus_facts import settings_for
from tests.guard_story import Story, config, exit_ticket, ticket, unsigned
from tests.memory_bus import MemoryBus

OTHER = "11111111-2222-4333-8444-555555555555"
GO = b'{"reason": "checked", "operator": "anna", "totp": "%06d"}'
Act = Event | tuple[str, str | None, bytes]


def story_of(session_id: str, number: int) -> list[Event]:
    story = Story(config(max_orders_per_minute=9, daily_loss_limit="0.05"), session_id=session_id)
    facts: list[Event] = [story.start(), story.close("100"), story.mark()]
    for turn in range(3):
        order = ticket(f"b{turn}", qty=str(2 + number))
        facts += [story.intend(order), story.accept(order), story.fill(order), story.close(str(99 - turn))]
        facts += [story.mark(awaits_guard=True), story.fail()]
    way_out = exit_ticket("x", qty="4")
    facts += [story.intend(way_out), story.fill(way_out, "95"), story.close("90"), story.mark(), story.end()]
    return facts


def acts() -> list[Act]:
    """Two sessions side by side, one of which ends early, and what operators ask in between."""
    one, other = story_of("6f1c2f36-5a5e-5b6e-9d3c-0123456789ab", 1), story_of(OTHER, 2)[:-1]
    mixed: list[Act] = [fact for pair in zip(one, other, strict=False) for fact in pair]
    asked: list[tuple[int, Act]] = [
        (9, ("pause", None, b"lunch")),
        (15, ("resume", None, GO % 1)),
        (21, ("kill", OTHER, b"")),
        (26, ("resume", OTHER, b"please")),
        (30, ("resume", OTHER, GO % 2)),
        (36, ("kill", None, b"fire")),
    ]
    for place, command in reversed(asked):
        mixed.insert(place, command)
    return mixed


ACTS = acts()


def second_factor(code: str, at: object) -> int | None:
    return int(code)


class Lives:
    """A guard that lives through the acts and keeps a snapshot after some of them."""

    def __init__(self, folder: str) -> None:
        self.memory = MemoryBus()
        self.snapshots = snapshots_of(self.memory.bus, settings_for("nats://127.0.0.1:1", Path(folder)))

    async def through(self, acts: list[Act], keep_after: frozenset[int], behind: int) -> None:
        """Hear each act; the stream runs ahead of the guard by up to `behind` events."""
        guard = await self.recovered(await recall(self.memory.bus))
        await guard._watch.take()
        for number, act in enumerate(acts):
            await self._act(guard, act)
            await self._hear(guard, behind)
            if number in keep_after and guard.next_event > 1:
                await self.snapshots.keep(await guard.snapshot())
        await self._hear(guard, 0)

    async def recovered(self, history: object) -> GuardService:
        guard = GuardService(self.memory.bus, Watch(self.memory.bus), unsigned, second_factor, history)  # type: ignore[arg-type]
        await guard.recover()
        return guard

    async def _act(self, guard: GuardService, act: Act) -> None:
        if isinstance(act, Event):
            self.memory.store_events(act)
        else:
            await self.memory.command(*act)
            await guard.on_command(self.memory.streams[CONTROL][-1])

    async def _hear(self, guard: GuardService, behind: int) -> None:
        while guard.next_event <= len(self.memory.streams[EVENTS]) - behind:
            await guard.on_event(self.memory.streams[EVENTS][guard.next_event - 1])


def known(guard: GuardService) -> tuple[Stack, int, int]:
    return guard.stack, guard.next_event, guard.next_command


async def both_ways(acts: list[Act], keep_after: frozenset[int], behind: int = 0) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lives = Lives(folder)
        await lives.through(acts, keep_after, behind)
        found = await lives.snapshots.load()
        whole = await lives.recovered(await recall(lives.memory.bus))
        lives.memory.given[EVENTS] = lives.memory.given[CONTROL] = 0
        if found is None:
            return
        short = await lives.recovered(await recall_since(lives.memory.bus, found.state))
        assert known(short) == known(whole)
        assert lives.memory.given[EVENTS] <= 2 * (len(lives.memory.streams[EVENTS]) - found.sequence)
        assert lives.memory.given[CONTROL] == len(lives.memory.streams[CONTROL]) - found.state.next_command + 1


places = st.frozensets(st.integers(0, len(ACTS)), min_size=1, max_size=4)
lengths = st.integers(1, len(ACTS))


@given(places, lengths)
def test_a_snapshot_and_the_rest_are_the_whole(keep_after: frozenset[int], length: int) -> None:
    asyncio.run(both_ways(ACTS[:length], keep_after))


@given(places, lengths, st.integers(1, 4))
def test_so_they_are_when_the_stream_ran_ahead_of_the_guard(
    keep_after: frozenset[int], length: int, behind: int
) -> None:
    facts: list[Act] = [act for act in ACTS[:length] if isinstance(act, Event)]
    asyncio.run(both_ways(facts, keep_after, behind))
