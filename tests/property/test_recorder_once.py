"""Each fact once, however the stream is cut into batches and wherever the recorder is killed."""

import tempfile
from contextlib import closing, suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.recorder.core.ledger import Ledger, batch_of
from services.recorder.session_files import SessionFiles
from shared.schemas.codec import encode
from tests.recorder_life import DyingDisk, Killed
from tests.recorder_story import SESSION, Story

STORY = Story().whole(30)
OTHER = "11111111-2222-4333-8444-555555555555"
EVENTS = [event for pair in zip(STORY, Story(session_id=OTHER, seed=2).whole(30), strict=False) for event in pair]
LINES = {
    session: b"".join(encode(event) + b"\n" for event in EVENTS if event.session_id == session)
    for session in (SESSION, OTHER)
}


def run(root: Path, sizes: list[int], steps: int) -> None:
    """One life of the recorder: it reads on from its position in batches of the given sizes."""
    files = SessionFiles(root, DyingDisk(steps).write)
    with closing(files), suppress(Killed):
        _read_on(files, sizes)


def _read_on(files: SessionFiles, sizes: list[int]) -> None:
    ledger, turn, place = Ledger(), 0, 0
    for session in (SESSION, OTHER):
        ledger.open(session)
    while place < len(EVENTS):
        end = min(place + sizes[turn % len(sizes)], len(EVENTS))
        numbered = enumerate(EVENTS[place:end], start=place + 1)
        entries = [ledger.enter(number, encode(event), event) for number, event in numbered]
        files.write(batch_of(ledger, [entry for entry in entries if entry is not None], place, end))
        place, turn = end, turn + 1


@given(
    lives=st.lists(st.tuples(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(0, 30)), max_size=5),
)
def test_files_are_the_same_however_often_the_recorder_is_killed_in_the_middle_of_a_write(
    lives: list[tuple[list[int], int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as undisturbed:
        root = Path(folder)
        for sizes, steps in lives:
            run(root, sizes, steps)
        run(root, [13], 10_000)
        run(Path(undisturbed), [1000], 10_000)
        for session, lines in LINES.items():
            assert (root / session / "events.jsonl").read_bytes() == lines
            assert (root / session / "trades.csv").read_bytes() == (
                Path(undisturbed) / session / "trades.csv"
            ).read_bytes()
