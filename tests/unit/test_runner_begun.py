from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.runner.begun import Begun, rest_of
from services.runner.course import Step, course, opening
from services.runner.recollection import Recollection
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.schemas.codec import encode, subject_of
from shared.schemas.envelope import Event
from tests.rehearsal import candles_at, feed_of, rehearse, session

CLOSES = ["100", "101", "103", "102", "99", "98", "101", "104"]
CONFIG, FEED = session(), feed_of(candles_at(CLOSES))
WHOLE = rehearse(CONFIG, FEED)
STEPS = list(course(CONFIG, FEED.slices(), opening(CONFIG, FEED.slices())[0]))


def slice_of(number: int) -> Sequence[Event]:
    """What the runner told of a slice, in order."""
    (name,) = {
        fact.causation_id
        for fact in WHOLE.events
        if fact.type == "candle_closed" and fact.market_time == STEPS[number].candles[0].close_time
    }
    return [fact for fact in WHOLE.events if fact.causation_id == name]


def begun(number: int, stored: int) -> Begun:
    """The session as it is found when only so many facts of that slice had been stored."""
    last = slice_of(number)[stored - 1]
    recollection = Recollection(WHOLE.state.plan, lambda signed, signature: True)
    for place, fact in enumerate(WHOLE.events[: WHOLE.events.index(last) + 1], start=1):
        recollection.take(Delivery(subject_of(fact), encode(fact), place, 0))
    found = recollection.result().begun
    assert found is not None
    return found


def test_a_slice_that_was_cut_short_is_told_to_its_end_by_the_same_facts() -> None:
    trading = [number for number, step in enumerate(STEPS) if not step.warmup]
    assert any(len(slice_of(number)) > 2 for number in trading)
    for number in trading:
        whole = slice_of(number)
        for stored in range(1, len(whole) + 1):
            assert list(rest_of(begun(number, stored), STEPS[number], None).facts) == list(whole[stored:])


def other(step: Step) -> Step:
    (candle,) = step.candles
    return step._replace(candles=(replace(candle, high=candle.high + 5, close=candle.close + 1),))


def test_a_slice_that_was_cut_short_and_that_the_feed_now_tells_otherwise_ends_the_runner() -> None:
    for changed in (other(STEPS[3]), None):
        with pytest.raises(FatalError, match="cut short"):
            rest_of(begun(3, 1), changed, None)


def test_a_slice_whose_mark_is_stored_needs_nothing_more() -> None:
    whole = slice_of(3)
    mark = [fact.type for fact in whole].index("equity_marked") + 1
    found = begun(3, mark)
    later = found.told[-1].model_copy(update={"timestamp": found.told[-1].timestamp + timedelta(seconds=1)})
    assert rest_of(found._replace(told=(*found.told[:-1], later)), STEPS[3], None).facts == ()
