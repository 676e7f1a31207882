"""From a session to its feed: simulated, recorded, or the candles named on the command line."""

from pathlib import Path
from typing import Any

import pytest

from services.runner.feeds.opening import open_feed
from services.runner.feeds.port import FeedError
from shared.schemas.session import SessionConfig

HEADER = "timestamp,open,high,low,close,volume"
SIMULATED = {"kind": "simulated", "seed": 1, "start": "2026-01-05T00:00:00Z", "bars": 10}


def session(**given: Any) -> SessionConfig:
    settings = {
        "name": "opening",
        "symbols": ["BTCUSDT", "ETHUSDT"],
        "timeframe": "5m",
        "initial_capital": 10_000,
        "feed": SIMULATED,
        "strategies": [{"name": "ema_crossover"}],
    }
    return SessionConfig.model_validate({**settings, **given})


def written(folder: Path, name: str, minutes: int) -> Path:
    path = folder / name
    lines = [f"2026-01-05T00:{bar * minutes:02}:00Z,1,2,1,2,1" for bar in range(4)]
    path.write_text("\n".join([HEADER, *lines]))
    return path


def test_a_session_names_a_simulated_market() -> None:
    assert open_feed(session()).description.source == "simulated market, seed 1"


def test_a_session_names_recorded_candles_by_paths_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "BTCUSDT-5m.csv", 5)
    described = open_feed(session(symbols=["BTCUSDT"], feed={"kind": "csv", "files": ["BTCUSDT-5m.csv"]})).description
    assert (described.source, described.timeframe, described.slices) == ("BTCUSDT-5m.csv", "5m", 4)


def test_refuses_recorded_candles_of_another_timeframe_than_the_sessions(tmp_path: Path) -> None:
    path = written(tmp_path, "BTCUSDT-1m.csv", 1)
    with pytest.raises(FeedError, match="bars of 1m, but the session says timeframe = '5m'"):
        open_feed(session(symbols=["BTCUSDT"], feed={"kind": "csv", "files": [str(path)]}))


def test_the_same_timeframe_may_be_written_differently(tmp_path: Path) -> None:
    path = written(tmp_path, "BTCUSDT-1m.csv", 1)
    feed = open_feed(session(symbols=["BTCUSDT"], timeframe="60s", feed={"kind": "csv", "files": [str(path)]}))
    assert feed.description.slices == 4


def test_candles_take_the_place_of_the_sessions_feed_with_their_own_symbol_and_timeframe(tmp_path: Path) -> None:
    described = open_feed(session(), [written(tmp_path, "BTC_PERP-1m.csv", 1)]).description
    assert (described.symbols, described.timeframe, described.slices) == (("BTC_PERP",), "1m", 4)


def test_candles_of_all_the_sessions_symbols_come_in_its_order(tmp_path: Path) -> None:
    files = [written(tmp_path, "ETHUSDT-1m.csv", 1), written(tmp_path, "BTCUSDT-1m.csv", 1)]
    assert open_feed(session(), files).description.symbols == ("BTCUSDT", "ETHUSDT")


def test_candles_of_some_of_the_sessions_symbols_are_enough(tmp_path: Path) -> None:
    assert open_feed(session(), [written(tmp_path, "ETHUSDT-1m.csv", 1)]).description.symbols == ("ETHUSDT",)
