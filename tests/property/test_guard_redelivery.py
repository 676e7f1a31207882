"""A copy of a fact, stored a second time long after the first, changes nothing that the guard knows or says."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.risk.recovery import recall
from services.risk.service import GuardService
from services.risk.watch import Watch
from shared.schemas.envelope import Event
from shared.schemas.subjects import CONTROL, EVENTS
from tests.guard_story import Story, config, exit_ticket, ticket, unsigned
from tests.memory_bus import MemoryBus


def told() -> list[Event]:
    """A session with fills, failed calls, breaches and a mark that waits for the guard."""
    story = Story(config(max_api_errors=4, daily_loss_limit="0.02", max_orders_per_minute=9))
    facts: list[Event] = [story.start(), story.close("100"), story.mark()]
    for number in range(4):
        order = ticket(f"b{number}", qty="3")
        facts += [story.intend(order), story.accept(order), story.fill(order), story.close(str(100 - 8 * number))]
        facts += [story.mark(awaits_guard=number % 2 == 0), story.fail(), story.fail()]
    way_out = exit_ticket("x", qty="5")
    facts += [story.intend(way_out), story.fill(way_out, "95"), story.close("90"), story.mark(), story.close("91")]
    return facts


TOLD = told()


async def guard_on(memory: MemoryBus) -> GuardService:
    watch = Watch(memory.bus)
    await watch.take()
    service = GuardService(memory.bus, watch, unsigned, None, await recall(memory.bus))
    await service.recover()
    return service


async def hear_all(memory: MemoryBus, service: GuardService) -> None:
    while service.next_event <= len(memory.streams[EVENTS]):
        await service.on_event(memory.streams[EVENTS][service.next_event - 1])


async def lived_through(facts: Sequence[Event], copies: Sequence[tuple[int, int]]) -> tuple[Any, list[str]]:
    """What a guard knows and has said after `facts`, with copies of number `old` stored behind number `new`."""
    memory = MemoryBus()
    service = await guard_on(memory)
    for number, fact in enumerate(facts):
        memory.store_events(fact)
        await hear_all(memory, service)
        stored = [delivery for delivery in memory.streams[EVENTS] if delivery.subject.count(".risk.heartbeat") == 0]
        for old, new in copies:
            if new == number and old < len(stored):
                memory.store(EVENTS, stored[old].subject, stored[old].payload, **stored[old].headers)
                await hear_all(memory, service)
    said = {one.headers["Nats-Msg-Id"]: one.subject async for one in memory.bus.read(EVENTS, ["events.*.risk.*"])}
    return service.stack, [subject.rsplit(".", 1)[1] for subject in said.values()]


UNDISTURBED = asyncio.run(lived_through(TOLD, []))
places = st.integers(0, 2 * len(TOLD))


@given(st.lists(st.tuples(places, st.integers(0, len(TOLD) - 1)), max_size=12))
def test_copies_change_nothing(copies: list[tuple[int, int]]) -> None:
    assert asyncio.run(lived_through(TOLD, copies)) == UNDISTURBED


def test_every_fact_twice_changes_nothing() -> None:
    everything = [(number, number) for number in range(len(TOLD))]
    assert asyncio.run(lived_through(TOLD, everything)) == UNDISTURBED


def test_a_whole_history_once_more_at_the_end_changes_nothing() -> None:
    again = [(number, len(TOLD) - 1) for number in range(2 * len(TOLD))]
    assert asyncio.run(lived_through(TOLD, again)) == UNDISTURBED


@given(st.lists(st.tuples(places, st.integers(0, len(TOLD) - 1)), max_size=8))
def test_copies_change_nothing_for_a_guard_that_recovers_from_them(copies: list[tuple[int, int]]) -> None:
    assert asyncio.run(recovered_from(copies)) == UNDISTURBED[0]


async def recovered_from(copies: Sequence[tuple[int, int]]) -> Any:
    memory = MemoryBus()
    first = await guard_on(memory)
    for fact in TOLD:
        memory.store_events(fact)
        await hear_all(memory, first)
    stored = list(memory.streams[EVENTS])
    memory.streams[EVENTS].clear()
    for number, one in enumerate(stored):
        memory.store(EVENTS, one.subject, one.payload, **one.headers)
        for old in sorted(old for old, new in copies if new == number and old < number):
            memory.store(EVENTS, stored[old].subject, stored[old].payload, **stored[old].headers)
    second = await guard_on(memory)
    await hear_all(memory, second)
    return second.stack


async def test_a_copy_of_an_old_resume_does_not_lift_a_newer_kill() -> None:
    memory = MemoryBus()
    guard = await guard_on(memory)
    go = b'{"reason": "checked", "operator": "anna"}'
    for name, payload in (("kill", b""), ("resume", go), ("kill", b"again")):
        await memory.command(name, None, payload)
        await guard.on_command(memory.streams[CONTROL][-1])
    (resumed,) = [one for one in memory.streams[EVENTS] if one.subject.endswith("trading_resumed")]
    memory.store(EVENTS, resumed.subject, resumed.payload, **resumed.headers)
    await hear_all(memory, guard)
    for stack in (guard.stack, (await guard_on(memory)).stack):
        assert stack.halt is not None
        assert stack.halt.reason == "again"


def test_the_story_holds_what_copies_could_hurt() -> None:
    assert {"order_filled", "error", "equity_marked", "order_intended"} <= {fact.type for fact in TOLD}
    assert {"order_approved", "equity_marked", "trading_halted", "limit_breached"} <= set(UNDISTURBED[1])
