"""`python -m services.recorder verify`: what it reads, whom it trusts and how it ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.recorder.commands import main
from services.recorder.export import export
from tests.audit_story import key, recorded
from tests.recorder_story import SESSION, Story

LINES = recorded(Story().whole(20), every=25)
OTHER = "11111111-2222-4333-8444-555555555555"
Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one session and the recorder's public key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    write(tmp_path / "sessions" / SESSION / "events.jsonl", LINES)
    write(tmp_path / "keys" / "recorder.pub", [key("recorder")[0].encode() + b"\n"])
    return tmp_path


@pytest.fixture
def verify(data: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Runs the command; answers the exit status and all that it says."""

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["verify", *arguments])
        return status, "".join(capsys.readouterr())

    return run


def write(path: Path, lines: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines))


def tampered(number: int) -> list[bytes]:
    return [*LINES[: number - 1], LINES[number - 1].replace(b'":', b'": ', 1), *LINES[number:]]


def test_proves_a_session_named_by_its_id_its_beginning_its_folder_its_file_or_its_archive(
    data: Path, verify: Verify
) -> None:
    folder = data / "sessions" / SESSION
    export(folder, data / "session.zip")
    export(folder, data / "alone.jsonl")
    for named in (SESSION, SESSION[:6], folder, folder / "events.jsonl", data / "session.zip", data / "alone.jsonl"):
        assert verify(str(named)) == (
            0,
            f"{SESSION}: intact, {len(LINES)} events, 4 signed heads, lines 1 to {len(LINES) - 1} are proven\n",
        )


def test_looks_at_all_sessions_when_none_is_named(data: Path, verify: Verify) -> None:
    assert verify()[0] == 0
    write(data / "sessions" / OTHER / "events.jsonl", tampered(7))
    status, output = verify()
    assert status == 1
    assert f"{SESSION}: intact" in output
    assert f"{OTHER}: NOT INTACT" in output


@pytest.mark.parametrize("where", ["sessions", "zip"])
def test_names_the_first_altered_line_and_what_stands_there(data: Path, verify: Verify, where: str) -> None:
    folder = data / "sessions" / SESSION
    write(folder / "events.jsonl", tampered(12))
    export(folder, data / "session.zip")
    status, output = verify(str(data / "session.zip") if where == "zip" else SESSION)
    assert (status, output.splitlines()[1]) == (1, "  line 12 (candle_closed) was changed")


def test_trusts_the_key_that_it_is_given_and_no_other(data: Path, verify: Verify) -> None:
    own, other = key("recorder")[0], key("somebody")[0]
    assert verify(SESSION, "--key", own)[0] == 0
    assert verify(SESSION, "--key", other, "--key", "keys/recorder.pub")[0] == 0
    status, output = verify(SESSION, "--key", other)
    assert status == 1
    assert f"signed by {own}, a key that is not trusted here" in output


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("ffff",), "there is no session 'ffff'"),
        ((SESSION, "--key", "nonsense"), "--key 'nonsense' is no public NKEY"),
        ((SESSION, "--key", "no/such.pub"), "can't be read from no/such.pub"),
        (("empty.zip",), "holds no events.jsonl"),
    ],
)
def test_wrong_usage_is_told_with_status_2(data: Path, verify: Verify, arguments: tuple[str, ...], advice: str) -> None:
    write(data / "empty.zip", [b"PK\x05\x06" + bytes(18)])
    status, output = verify(*arguments)
    assert status == 2
    assert advice in output


def test_without_a_key_it_says_which_one_it_wants(data: Path, verify: Verify) -> None:
    (data / "keys" / "recorder.pub").unlink()
    status, output = verify(SESSION)
    assert status == 2
    assert "name it by --key" in output
