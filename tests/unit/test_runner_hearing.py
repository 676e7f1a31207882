"""What the runner hears, and how it waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from services.runner.core.inputs import GuardSilent, KillHeard
from services.runner.hearing import Hearing
from shared.domain.once import Once
from shared.runtime.delivery import Delivery
from shared.schemas.codec import encode, subject_of
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Heartbeat, HeartbeatMetrics
from shared.schemas.orders import OrderApproved
from tests.guard_story import SESSION, Story, ticket, unsigned
from tests.venues.paper_orders import START


def hearing() -> Hearing:
    """Ears without a bus."""
    return Hearing(cast(Any, None), "a session", lambda *_: True, Once(), 0)


def test_a_kill_comes_before_all_that_waits_and_is_known_of_before_it_is_taken() -> None:
    ears, kill = hearing(), KillHeard(Command("kill", None, b"", 7, START))
    ears.hear(GuardSilent("guard", "nothing was heard"))
    ears.kill(kill)
    assert ears.kill_waits
    assert ears.take() is kill
    assert (ears.kill_waits, type(ears.take())) == (False, GuardSilent)


def test_a_kill_is_passed_on_before_it_waits_to_be_taken() -> None:
    ears, kill = hearing(), KillHeard(Command("kill", None, b"", 7, START))
    waits: list[tuple[Command, bool]] = []
    ears.when_killed = lambda command: waits.append((command, ears.kill_waits))
    ears.kill(kill)
    assert waits == [(kill.command, False)]


async def test_a_wake_up_call_ends_the_wait_that_is_under_way() -> None:
    ears = hearing()
    asyncio.get_running_loop().call_later(0.01, ears.wake)
    async with asyncio.timeout(60):
        await ears.wait(600)


async def test_a_wake_up_call_is_over_once_it_was_looked_what_there_is() -> None:
    ears = hearing()
    ears.wake()
    assert ears.take() is None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await ears.wait(600)


class Words:
    """A bus that delivers what it was given."""

    def __init__(self, *facts: Event) -> None:
        self.bus = self
        self._facts = facts

    async def follow(self, *_: object) -> AsyncIterator[Delivery]:
        for number, fact in enumerate(self._facts, start=1):
            yield Delivery(subject_of(fact), encode(fact), number, 0)


async def test_the_newest_guard_heard_of_is_that_of_its_heartbeats_and_approvals() -> None:
    story = Story()
    vital = HeartbeatMetrics(uptime_seconds=1, events_published=1, events_consumed=1, epoch=7)
    beat = story.tell(Heartbeat, "risk", metrics=vital)
    older = story.tell(OrderApproved, "risk", order=ticket(), details=unsigned(SESSION, beat.id, ticket(), story.now))
    ears = Hearing(cast(Any, Words(older, beat, older)), SESSION, lambda *_: True, Once(), 0)
    await ears.follow_guard()
    assert ears.guards_epoch == 7
