from collections.abc import Sequence

from services.runner.journal import HELD_AT_MOST, Journal
from shared.schemas.envelope import Event
from tests.rehearsal import candles_at, feed_of, rehearse, session


class RememberedBus:
    """Takes facts as the bus does and remembers the batches and the fences."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.fences: list[int] = []

    async def append(self, events: Sequence[Event], *, after: int) -> int:
        self.batches.append(list(events))
        self.fences.append(after)
        return after + len(events)


def some_facts() -> Sequence[Event]:
    return rehearse(session(), feed_of(candles_at(["100"] * 5))).events


async def test_held_facts_are_stored_together_and_in_order() -> None:
    bus, facts = RememberedBus(), some_facts()
    journal = Journal(bus, 7)  # type: ignore[arg-type]
    await journal.hold(facts[:3])
    await journal.hold(facts[3:5])
    assert bus.batches == []
    await journal.flush()
    assert bus.batches == [list(facts[:5])]
    assert (bus.fences, journal.stored) == ([7], 5)


async def test_what_is_appended_comes_behind_what_is_held() -> None:
    bus, facts = RememberedBus(), some_facts()
    journal = Journal(bus, 0)  # type: ignore[arg-type]
    await journal.hold(facts[:2])
    await journal.append(facts[2:3])
    assert [event for batch in bus.batches for event in batch] == list(facts[:3])


async def test_many_held_facts_are_stored_at_once() -> None:
    bus, facts = RememberedBus(), some_facts()
    journal = Journal(bus, 0)  # type: ignore[arg-type]
    await journal.hold(list(facts) * (HELD_AT_MOST // len(facts) + 1))
    assert len(bus.batches) == 1


async def test_nothing_held_is_nothing_stored() -> None:
    bus = RememberedBus()
    await Journal(bus, 0).flush()  # type: ignore[arg-type]
    assert bus.batches == []
