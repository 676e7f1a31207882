"""The recorder uses a snapshot when it is beyond doubt and both sinks hold what it stands for, else it reads all."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from services.recorder import keeping
from services.recorder.core.ledger import KEPT_SESSIONS, Ledger
from services.recorder.keeping import Keeping
from shared.runtime.snapshots import Snapshot
from shared.schemas.subjects import EVENTS
from tests.recorder_life import Lives, MemoryTables, quick, wrote_what_the_stream_says
from tests.recorder_story import SESSION, Story

STORY = Story().whole(30)


def damage(lives: Lives) -> None:
    path = snapshot_file(lives)
    path.write_bytes(path.read_bytes()[:-20])


def truncate(lives: Lives) -> None:
    snapshot_file(lives).write_bytes(b"")


def lose_the_database(lives: Lives) -> None:
    lives.tables = MemoryTables()


def lose_the_files(lives: Lives) -> None:
    shutil.rmtree(lives.root)


def change_its_place(lives: Lives) -> None:
    """The stream tells something else there than the snapshot stands for."""
    path, stream = snapshot_file(lives), lives.memory.streams[EVENTS]
    path.write_bytes(path.read_bytes().replace(f'"sequence": {len(stream)}'.encode(), b'"sequence": 40', 1))


def snapshot_file(lives: Lives) -> Path:
    return lives.settings.data_dir / "snapshots" / "recorder" / "sessions.snapshot"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damage, "it is damaged"),
        (truncate, "it has no header"),
        (lose_the_database, "files and database for 0"),
        (lose_the_files, "files and database for 0"),
        (change_its_place, "is another message than the one it stands for"),
    ],
)
async def test_a_snapshot_in_doubt_is_passed_over_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Lives], None], message: str
) -> None:
    with quick(stretch=20, every=20):
        lives = Lives(tmp_path)
        lives.memory.store_events(*STORY[:60])
        await lives.to_the_end()
        spoil(lives)
        lives.memory.store_events(*STORY[60:])
        capsys.readouterr()
        await lives.to_the_end()
        told = capsys.readouterr().out
        assert "snapshot passed over" in told
        assert message in told
        await wrote_what_the_stream_says(lives)


async def test_one_that_was_made_by_other_code_is_passed_over_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with quick(stretch=20, every=20):
        lives = Lives(tmp_path)
        lives.memory.store_events(*STORY[:60])
        await lives.to_the_end()
        monkeypatch.setattr(keeping, "_CODE", ("shared.schemas",))
        lives.memory.store_events(*STORY[60:])
        await lives.to_the_end()
        assert "it was made by other code" in capsys.readouterr().out
        await wrote_what_the_stream_says(lives)


def ledger_of(events: int) -> Ledger:
    ledger = Ledger()
    ledger.open(SESSION)
    for number, event in enumerate(STORY[:events], start=1):
        ledger.enter(number, b"", event)
    return ledger


async def test_a_snapshot_waits_until_files_and_database_hold_what_it_stands_for(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    lives.memory.store_events(*STORY)
    with quick(stretch=1, every=10):
        kept = Keeping(lives.snapshots)
        assert await kept.recall(secured=0) == Snapshot(0, ())
        kept.consider(12, ledger_of(12), secured=11)
        kept.consider(30, ledger_of(30), secured=11)
        await kept.finish(30, ledger_of(30), secured=29)
        assert await lives.snapshots.load() is None
        kept.consider(31, ledger_of(31), secured=12)
        await asyncio.sleep(0.01)
        assert await lives.snapshots.load() == Snapshot(12, ledger_of(12).kept())
        await kept.finish(40, ledger_of(40), secured=40)
        assert await Keeping(lives.snapshots).recall(secured=40) == Snapshot(40, ledger_of(40).kept())


async def test_one_is_taken_at_once_after_everything_had_to_be_read(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    lives.memory.store_events(*STORY)
    with quick(stretch=1, every=10):
        kept = Keeping(lives.snapshots)
        await kept.recall(secured=25)
        kept.consider(25, ledger_of(25), secured=25)
        await asyncio.sleep(0.01)
        assert await lives.snapshots.load() == Snapshot(25, ledger_of(25).kept())


def test_a_ledger_is_the_same_after_it_was_kept() -> None:
    whole, again = ledger_of(len(STORY)), Ledger(ledger_of(50).kept())
    assert again.enter(50, b"", STORY[49]) is None, "a copy of what came before"
    for number, event in enumerate(STORY[50:], start=51):
        again.enter(number, b"", event)
    assert again.kept() == whole.kept()


def test_sessions_left_unfinished_do_not_pile_up_in_it() -> None:
    ledger = Ledger()
    names = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(KEPT_SESSIONS + 3)]
    for number, name in enumerate(names):
        ledger.open(name)
        ledger.enter(number, b"", next(iter(Story(session_id=name, step=number).begin())))
    assert [kept.summary.session_id for kept in ledger.kept()] == names[3:]
