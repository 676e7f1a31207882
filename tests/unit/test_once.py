"""What a fold has taken in is known again, also after hours, for as long as memory allows."""

from decimal import Decimal

import pytest

from shared.domain import once as module
from shared.domain.once import Once
from shared.schemas.envelope import Event
from shared.schemas.market import Candle, CandleClosed
from tests.guard_story import MINUTE, Story, ticket


def noted(*events: Event) -> Once:
    once = Once()
    for event in events:
        once.note(event)
    return once


def test_knows_what_was_noted_and_nothing_else() -> None:
    story = Story()
    start, fill, mark = story.start(), story.fill(ticket()), story.mark()
    once = noted(start, fill)
    assert [once.knows(event) for event in (start, fill, mark)] == [True, True, False]


def test_a_bar_of_the_past_is_known_by_its_time_however_long_ago_it_was() -> None:
    story = Story()
    bars = [story.close("100") for _ in range(50)]
    once = noted(*bars)
    assert all(once.knows(bar) for bar in bars)
    assert not once.knows(story.close("101"))


def test_the_bars_of_several_symbols_close_at_the_same_time() -> None:
    story = Story()
    first = story.close("100")
    five = Decimal(5)
    candle = Candle("ETHUSDT", first.details.open_time, story.now, five, five, five, five, five)
    second = story.tell(CandleClosed, details=candle)
    assert not noted(first).knows(second)
    assert noted(first, second).knows(second)
    assert noted(first, second).knows(first)


def test_sessions_and_writers_have_their_own_bars() -> None:
    one, other = Story(), Story(session_id="11111111-2222-4333-8444-555555555555")
    once = noted(one.close("100", after=10 * MINUTE))
    assert not once.knows(other.close("100"))


def test_a_session_that_is_over_can_be_forgotten_and_only_that_one() -> None:
    one, other = Story(), Story(session_id="11111111-2222-4333-8444-555555555555")
    ended, running = one.close("100"), other.close("100")
    once = noted(ended, running)
    once.forget(one.session_id)
    assert (once.knows(ended), once.knows(running)) == (False, True)


def test_memory_stays_bounded_and_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 10)
    story = Story()
    fills = [story.fill(ticket()) for _ in range(25)]
    once = noted(*fills)
    assert [once.knows(fill) for fill in fills] == [False] * 15 + [True] * 10


def test_packing_keeps_everything_and_is_not_touched_by_what_comes_later() -> None:
    story = Story()
    facts = [story.start(), story.close("100"), story.fill(ticket())]
    once = noted(*facts)
    packed = once.packed()
    later = story.close("100", after=0 * MINUTE)
    once.note(later)
    again = Once.unpacked(*packed)
    assert all(again.knows(fact) for fact in facts)
    assert not again.knows(later)
