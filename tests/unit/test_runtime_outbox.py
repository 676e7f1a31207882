import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shared.runtime import outbox
from shared.runtime.errors import FencedError, RetryableError
from shared.runtime.outbox import Outbox
from shared.runtime.publishing import Outcome
from shared.schemas.envelope import Event
from tests.bus_facts import told

SESSION = "6f1c2f36-5a5e-4b6e-9d3c-0123456789ab"
FACTS = [told(SESSION, number) for number in range(8)]
CLAIM: dict[str, Any] = {"after": 7, "on": "claims"}


class SlowBus:
    """Answers posts when it is told to. `stored` is in the order in which it was stored."""

    def __init__(self) -> None:
        self.stored: list[Event] = []
        self.waiting: list[tuple[Event, Callable[[Outcome], None]]] = []
        self.lost = False
        self.relieved = False

    def post(self, event: Event, told: Callable[[Outcome], None], *, after: int, on: str) -> None:
        assert (after, on) == (7, "claims")
        if self.lost:
            raise RetryableError("the bus can't be reached")
        self.waiting.append((event, told))

    async def append(self, events: Sequence[Event], *, after: int, on: str, atomic: bool) -> int:
        assert (after, on, atomic) == (7, "claims", False)
        if self.relieved:
            raise FencedError("another one is at work")
        self.stored += events
        return 100 + len(self.stored)

    def answer(self, *losing: int) -> None:
        """Store what was posted, those with the numbers `losing` excepted."""
        waiting, self.waiting = self.waiting, []
        for number, (event, answered) in enumerate(waiting):
            if number in losing:
                answered(RetryableError("lost"))
            else:
                self.stored.append(event)
                answered(100 + len(self.stored))


@pytest.fixture
def bus() -> SlowBus:
    return SlowBus()


@pytest.fixture
def box(bus: SlowBus) -> Outbox:
    return Outbox(bus)  # type: ignore[arg-type]


async def test_what_is_posted_waits_for_no_answer(bus: SlowBus, box: Outbox) -> None:
    for fact in FACTS:
        await box.post(fact, **CLAIM)
    assert [event for event, _ in bus.waiting] == FACTS


async def test_it_is_settled_once_everything_has_its_answer(bus: SlowBus, box: Outbox) -> None:
    for fact in FACTS:
        await box.post(fact, **CLAIM)
    settling = asyncio.create_task(box.settle(**CLAIM))
    await asyncio.sleep(0)
    assert not settling.done()
    bus.answer()
    assert await settling == 100 + len(FACTS)
    assert not box.trouble.is_set()


async def test_what_was_lost_on_its_way_is_appended_in_order(bus: SlowBus, box: Outbox) -> None:
    for fact in FACTS:
        await box.post(fact, **CLAIM)
    bus.answer(*range(3, 8))
    assert box.trouble.is_set()
    await box.settle(**CLAIM)
    assert bus.stored == FACTS
    assert not box.trouble.is_set()


async def test_what_comes_after_a_loss_stands_behind_what_was_lost(bus: SlowBus, box: Outbox) -> None:
    bus.lost = True
    await box.post(FACTS[0], **CLAIM)
    bus.lost = False
    await box.post(FACTS[1], **CLAIM)
    bus.answer()
    assert bus.stored == FACTS[:2]


async def test_so_many_are_under_way_and_no_more(bus: SlowBus, box: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "IN_FLIGHT", 4)
    for fact in FACTS[:4]:
        await box.post(fact, **CLAIM)
    posting = asyncio.create_task(box.post(FACTS[4], **CLAIM))
    await asyncio.sleep(0)
    assert len(bus.waiting) == 4
    bus.answer()
    await posting
    assert [event for event, _ in bus.waiting] == [FACTS[4]]


async def test_another_writer_that_took_over_is_noticed_when_it_settles(bus: SlowBus, box: Outbox) -> None:
    await box.post(FACTS[0], **CLAIM)
    bus.answer(0)
    bus.relieved = True
    with pytest.raises(FencedError):
        await box.settle(**CLAIM)
