"""Facts that are held for a while don't have the collector walk over them again and again."""

import gc
from collections.abc import Iterator

import pytest

from shared.runtime.collector import spare_the_collector
from tests.recorder_story import Story


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
def test_two_thousand_facts_are_made_without_a_collection() -> None:
    spare_the_collector()
    before = [generation["collections"] for generation in gc.get_stats()]
    held = Story().whole(600)
    assert len(held) > 1_500
    assert [generation["collections"] for generation in gc.get_stats()] == before
