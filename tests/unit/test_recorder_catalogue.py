import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from services.recorder.catalogue import Filter, as_json, sessions, table
from services.recorder.commands import main
from services.recorder.export import export
from services.recorder.folder import FolderError
from services.recorder.reports import write_report
from shared.schemas.values import STACK
from tests.recorder_story import SESSION, Story
from tests.unit.test_recorder_session_files import written

OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    other = Story(session_id=OTHER, name="other", seed=2)
    stack = Story(session_id=STACK)
    events = [*Story().whole(30), *other.begin(), *other.end("killed"), *stack.halt("all")]
    written(tmp_path / "sessions", events)
    return tmp_path / "sessions"


def names(root: Path, wanted: Filter) -> list[str]:
    return [document["name"] for document in sessions(root, wanted)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), ["other", "demo"]),
        (Filter(status="killed"), ["other"]),
        (Filter(symbol="BTCUSDT", strategy="ema_crossover"), ["other", "demo"]),
        (Filter(symbol="ETHUSDT"), []),
        (Filter(strategy="rsi_reversion"), []),
        (Filter(since=datetime(2026, 11, 22, tzinfo=UTC)), ["other", "demo"]),
        (Filter(since=datetime(2026, 11, 23, tzinfo=UTC)), []),
        (Filter(min_roi=Decimal("0")), ["other"]),
        (Filter(min_roi=Decimal("-50")), ["other", "demo"]),
    ],
)
def test_sessions_are_found_by_what_they_were(root: Path, wanted: Filter, expected: list[str]) -> None:
    assert names(root, wanted) == expected


def test_the_list_is_json_for_programs_and_a_table_for_people(root: Path) -> None:
    found = sessions(root, Filter())
    assert [document["session_id"] for document in json.loads(as_json(found))] == [OTHER, SESSION]
    lines = list(table(found))
    assert lines[0].startswith("session")
    assert SESSION in lines[2]
    assert json.loads(as_json([])) == []


def test_an_export_holds_the_whole_session_or_one_of_its_files(root: Path, tmp_path: Path) -> None:
    write_report(root / SESSION)
    export(root / SESSION, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {name.partition("/")[2] for name in archive.namelist()} == {
            "events.jsonl", "summary.json", "trades.csv", "report.html",
        }  # fmt: skip
    export(root / SESSION, tmp_path / "trades.csv")
    assert (tmp_path / "trades.csv").read_bytes() == (root / SESSION / "trades.csv").read_bytes()


def test_an_export_of_an_unknown_kind_or_a_missing_file_says_what_to_do(root: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"end the name in \.zip"):
        export(root / SESSION, tmp_path / "session.xls")
    with pytest.raises(FolderError, match=r"services\.recorder report"):
        export(root / SESSION, tmp_path / "report.html")


@pytest.mark.parametrize("arguments", [["sessions", "--json"], ["report", SESSION[:8]], ["validate", SESSION]])
def test_the_commands_need_neither_bus_nor_database(
    root: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(root.parent))
    assert main(arguments) == 0
    assert SESSION in capsys.readouterr().out


def test_a_damaged_session_fails_validation(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(root.parent))
    (root / SESSION / "trades.csv").write_text("")
    assert main(["validate", SESSION]) == 1
    assert "1 findings" in capsys.readouterr().out


def test_an_unknown_session_is_one_line_and_a_status(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(root.parent))
    assert main(["report", "ffff"]) == 1
    assert capsys.readouterr().err.startswith("recorder: there is no session 'ffff'")
