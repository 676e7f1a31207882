"""Session files: exact numbers, and errors that name file and key."""

from decimal import Decimal
from pathlib import Path

import pytest

from shared.runtime.errors import SettingsError
from shared.runtime.session_file import load_session

GOOD = """
name = "a-test"
symbols = ["BTCUSDT"]
timeframe = "1m"
initial_capital = 10000
[feed]
kind = "simulated"
start = 2026-01-05T00:00:00Z
[[strategies]]
name = "ema_crossover"
[risk]
daily_loss_limit = 0.1
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "session.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_numbers_exactly(tmp_path: Path) -> None:
    session = load_session(written(tmp_path, GOOD))
    assert session.risk.daily_loss_limit == Decimal("0.1")
    assert session.initial_capital == Decimal(10000)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("daily_loss_limit", "daily_los_limit"), "risk.daily_los_limit: unknown key"),
        (('timeframe = "1m"', 'timeframe = "soon"'), "timeframe"),
        (("0.1", "1.5"), "risk.daily_loss_limit"),
        (('symbols = ["BTCUSDT"]', ""), "symbols"),
        (('["BTCUSDT"]', '["BTCUSDT"'), "not valid TOML"),
    ],
)
def test_an_error_names_the_file_and_the_key(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    path = written(tmp_path, GOOD.replace(*change))
    with pytest.raises(SettingsError) as caught:
        load_session(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert named in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read: No such file"):
        load_session(tmp_path / "nowhere.toml")
