import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from deploy.embedded.options import parse
from shared.runtime.errors import SettingsError
from shared.schemas.session import SessionConfig

DEMO = Path("config/demo.toml")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SESSION", "CANDLES", "SPEED", "DURATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def test_the_demo_session_file_is_a_session() -> None:
    config = SessionConfig.model_validate(tomllib.loads(DEMO.read_text(), parse_float=Decimal))
    assert config.venue == "paper"
    assert len(config.symbols) == 3
    assert len(config.strategies) == 2


def test_a_simulated_market_is_traded_for_a_minute_unless_told_otherwise() -> None:
    assert parse(["--session", str(DEMO)]).duration == "60s"
    assert parse(["--session", str(DEMO), "--duration", "5s"]).duration == "5s"


def test_candles_are_traded_to_their_end(tmp_path: Path) -> None:
    candles = tmp_path / "a.csv"
    candles.touch()
    assert parse(["--session", str(DEMO), "--candles", str(candles)]).duration is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (["--candles", "nowhere.csv"], "nowhere.csv"),
        (["--speed", "fast"], "SPEED"),
        (["--duration", "soon"], "DURATION"),
        (["--session", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_traded_is_refused_by_name(wrong: list[str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        parse(["--session", str(DEMO), *wrong])
