"""A recorder that goes on from a snapshot writes what one writes that has read everything, and reads only the rest."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.schemas.envelope import Event
from shared.schemas.subjects import EVENTS
from tests.recorder_life import Lives, quick, wrote_what_the_stream_says
from tests.recorder_story import SESSION, Story

OTHER = "11111111-2222-4333-8444-555555555555"
STORY = [
    event
    for pair in zip(
        Story(shadow="golden_cross").whole(24), Story(session_id=OTHER, seed=2).whole(40)[:-2], strict=False
    )
    for event in pair
]
"""Two sessions side by side; the first ends, the other is still under way."""


def stored(lives: Lives, events: Sequence[Event], copies: Sequence[tuple[int, int]] = ()) -> None:
    """Store the events, and copies of old ones between them."""
    for number, event in enumerate(events):
        lives.memory.store_events(*(events[old] for old, new in copies if new == number and old < number), event)


deaths = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4)), min_size=1, max_size=4)
copied = st.lists(st.tuples(st.integers(0, len(STORY) - 1), st.integers(0, len(STORY) - 1)), max_size=10)


@given(deaths, copied, st.integers(1, 30), st.integers(1, 60))
def test_a_recorder_that_goes_on_from_its_snapshots_writes_what_one_writes_that_reads_everything(
    deaths: list[tuple[int, int]], copies: list[tuple[int, int]], stretch: int, every: int
) -> None:
    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            lives = Lives(Path(folder))
            stored(lives, STORY, copies)
            for writes, lag in deaths:
                await lives.until_killed(writes, lag)
                await stands_for_no_more_than_is_written(lives)
            await lives.to_the_end()
            await wrote_what_the_stream_says(lives)

    with quick(stretch, every):
        asyncio.run(live())


async def stands_for_no_more_than_is_written(lives: Lives) -> None:
    found = await lives.snapshots.load()
    assert found is None or found.sequence <= lives.tables.sequence


async def test_a_restart_reads_nothing_that_lies_before_the_snapshot(tmp_path: Path) -> None:
    with quick(stretch=10, every=10):
        given = [await read_at_a_restart(tmp_path / str(bars), bars) for bars in (20, 120)]
    assert given[0] == given[1]


async def read_at_a_restart(folder: Path, bars: int) -> int:
    """How many messages a recorder reads again that was killed after it had written a session of so many bars."""
    lives = Lives(folder)
    story = Story().whole(bars)[:-2]
    stored(lives, story)
    await lives.until_killed(10_000)
    found = await lives.snapshots.load()
    assert found is not None
    assert found.sequence > len(story) - 10
    lives.memory.given[EVENTS] = 0
    await lives.until_killed(10_000)
    return lives.memory.given[EVENTS]


async def test_a_session_that_has_been_quiet_is_in_the_snapshot_and_its_chain_at_hand(tmp_path: Path) -> None:
    with quick(stretch=2, every=1), pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.recorder.recording.IDLE_SECONDS", -1.0)
        patch.setattr("services.recorder.recording.SUMMARY_SECONDS", 0.0)
        patch.setattr("services.recorder.auditor.RUNNING_SECONDS", 0.0)
        lives = Lives(tmp_path)
        for told in (Story().whole(9)[:-2], list(Story(session_id=OTHER).begin())):
            stored(lives, told)
            await lives.until_killed(10_000)
        found = await lives.snapshots.load()
        assert found is not None
        assert SESSION not in {name.partition("/")[0] for name in lives.position.sizes}
        assert [kept.summary.session_id for kept in found.state] == [SESSION, OTHER]
        assert {SESSION, OTHER} <= set(lives.position.chains)
