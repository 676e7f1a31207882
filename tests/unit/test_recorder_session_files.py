import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from services.recorder.core.ledger import Batch, Ledger, batch_of, halved, joined
from services.recorder.folder import FolderError, folder_of, read_events, read_summary
from services.recorder.position import FilePosition, read_position, write_position
from services.recorder.session_files import SessionFiles
from services.recorder.sole import sole_writer
from services.recorder.validate import findings
from shared.domain.trade_rows import read_rows
from shared.runtime.errors import FatalError
from shared.schemas.codec import encode
from shared.schemas.envelope import Event
from shared.schemas.values import STACK
from tests.recorder_story import SESSION, Story


def batches(events: Sequence[Event], size: int, ledger: Ledger | None = None) -> list[Batch]:
    """The events as batches of `size`, numbered from 1 on."""
    ledger = ledger or Ledger()
    made = []
    for begin in range(0, len(events), size):
        entries = []
        for place, event in enumerate(events[begin : begin + size], start=begin + 1):
            ledger.open(event.session_id)
            entry = ledger.enter(place, encode(event), event)
            entries += [entry] if entry else []
        made.append(batch_of(ledger, entries, begin, min(begin + size, len(events))))
    return made


def written(root: Path, events: Sequence[Event], size: int = 7) -> SessionFiles:
    files = SessionFiles(root)
    for batch in batches(events, size):
        files.write(batch)
        for summary in batch.summaries.values():
            files.write_summary(summary)
    files.close()
    return files


def test_events_are_kept_byte_for_byte_in_stream_order(tmp_path: Path) -> None:
    story = Story().whole(30)
    written(tmp_path, story)
    assert (tmp_path / SESSION / "events.jsonl").read_bytes() == b"".join(encode(event) + b"\n" for event in story)
    assert list(read_events(tmp_path / SESSION)) == story


def test_a_recorded_session_is_valid(tmp_path: Path) -> None:
    written(tmp_path, Story().whole(60))
    assert list(findings(tmp_path / SESSION)) == []


def test_trades_are_rows_with_exact_decimals_and_iso_times(tmp_path: Path) -> None:
    written(tmp_path, Story().whole(30))
    lines = (tmp_path / SESSION / "trades.csv").read_text().splitlines()
    assert lines[0] == "strategy,symbol,qty,entry_price,exit_price,opened_at,closed_at,fees,pnl,return_ratio"
    trips = list(read_rows(lines))
    assert len(trips) == 3
    assert all(trip.pnl == (trip.exit_price - trip.entry_price) * trip.qty - trip.fees for trip in trips)
    assert lines[1].split(",")[5].endswith("Z")


def test_the_summary_is_a_whole_file_with_numbers(tmp_path: Path) -> None:
    written(tmp_path, Story().whole(30))
    summary = json.loads((tmp_path / SESSION / "summary.json").read_text())
    assert summary["initial_capital"] == 10_000
    assert summary["totals"]["trades"] == 3
    exact = read_summary(tmp_path / SESSION)
    assert exact is not None
    assert isinstance(exact["current_equity"], Decimal)


def test_what_was_written_behind_the_position_is_cut_off_at_the_start(tmp_path: Path) -> None:
    story = Story().whole(30)
    made = batches(story, 20)
    files = SessionFiles(tmp_path)
    for batch in made[:3]:
        files.write(batch)
    files.close()
    with (tmp_path / SESSION / "events.jsonl").open("ab") as events:
        events.write(b'{"half a li')
    again = SessionFiles(tmp_path)
    assert again.sequence == 60
    for batch in made:
        again.write(batch)
    again.close()
    assert list(read_events(tmp_path / SESSION)) == story


def test_a_batch_that_was_written_before_is_passed_over(tmp_path: Path) -> None:
    story = Story().whole(10)
    made = batches(story, 9)
    files = SessionFiles(tmp_path)
    for batch in (made[0], made[0], made[1], made[0], made[1], *made[2:], joined(made)):
        files.write(batch)
    files.close()
    assert list(read_events(tmp_path / SESSION)) == story


def test_a_batch_that_leaves_a_hole_is_refused(tmp_path: Path) -> None:
    made = batches(Story().whole(10), 9)
    files = SessionFiles(tmp_path)
    files.write(made[0])
    with pytest.raises(FatalError, match="reach to 9"):
        files.write(made[2])


def test_files_that_lost_written_bytes_are_named(tmp_path: Path) -> None:
    written(tmp_path, Story().whole(10))
    path = tmp_path / SESSION / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    assert SessionFiles(tmp_path).cut_short == (SESSION,)


def test_sessions_of_unknown_reach_are_refused_with_the_way_out(tmp_path: Path) -> None:
    written(tmp_path, Story().whole(10))
    (tmp_path / ".position").unlink()
    with pytest.raises(FatalError, match="rebuild"):
        SessionFiles(tmp_path)


def test_a_damaged_position_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / ".position").write_text("{")
    with pytest.raises(FatalError, match="delete it and run"):
        read_position(tmp_path)


def test_the_position_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    assert read_position(tmp_path) is None
    kept = FilePosition(12, {"a/events.jsonl": 5})
    write_position(tmp_path, kept)
    assert read_position(tmp_path) == kept


@pytest.mark.parametrize("ended", [False, True])
def test_released_files_are_opened_again_where_they_end(tmp_path: Path, ended: bool) -> None:
    story = Story().whole(10)
    files = SessionFiles(tmp_path)
    for batch in batches(story, 9):
        files.write(batch)
        files.release(SESSION, ended)
        assert list(files.open_sessions) == []
        assert (SESSION in files.chains.known) is not ended
    files.close()
    assert list(read_events(tmp_path / SESSION)) == story


def test_more_sessions_than_open_files_are_all_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.recorder.session_files.OPEN_FILES", 4)
    sessions = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(8)]
    events = [event for session in sessions for event in Story(session_id=session).whole(4)]
    written(tmp_path, events, size=11)
    assert all(list(findings(tmp_path / session)) == [] for session in sessions)


def test_facts_about_the_stack_have_events_but_no_summary_and_no_trades(tmp_path: Path) -> None:
    story = Story(session_id=STACK)
    written(tmp_path, list(story.halt("all of you")))
    assert [path.name for path in (tmp_path / STACK).iterdir()] == ["events.jsonl"]


def test_a_batch_cut_in_two_is_the_same_batch(tmp_path: Path) -> None:
    whole = joined(batches(Story().whole(5), 4))
    assert joined(halved(whole)) == whole


def test_a_copy_of_a_fact_is_entered_once() -> None:
    story = Story().whole(3)
    ledger = Ledger()
    [batch] = batches([*story, *story[2:5]], 1000, ledger)
    assert [entry.event for entry in batch.entries] == story
    assert batch.last == len(story) + 3


def test_a_session_is_found_by_id_by_its_beginning_and_by_folder(tmp_path: Path) -> None:
    written(tmp_path, Story().whole(3))
    folder = tmp_path / SESSION
    assert (
        folder_of(tmp_path, SESSION) == folder_of(tmp_path, SESSION[:6]) == folder_of(tmp_path, str(folder)) == folder
    )
    with pytest.raises(FolderError, match="there is no session 'ffff'"):
        folder_of(tmp_path, "ffff")
    with pytest.raises(FolderError, match="there is no session"):
        folder_of(tmp_path, "../*")


def test_a_damaged_line_is_told_with_its_number(tmp_path: Path) -> None:
    written(tmp_path, Story().whole(3))
    path = tmp_path / SESSION / "events.jsonl"
    path.write_bytes(path.read_bytes() + b"nonsense\n")
    with pytest.raises(FolderError, match=rf"events.jsonl:{len(Story().whole(3)) + 1}: not JSON"):
        list(read_events(tmp_path / SESSION))


def test_only_one_process_writes_a_folder(tmp_path: Path) -> None:
    with sole_writer(tmp_path), pytest.raises(FatalError, match="stop it first"), sole_writer(tmp_path):
        pass
    with sole_writer(tmp_path):
        pass
