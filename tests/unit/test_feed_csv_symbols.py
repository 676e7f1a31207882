"""Which symbols candle files hold, and how several become slices."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.runner.feeds.csv_file import CsvCandles, load_csv
from services.runner.feeds.port import FeedError

HEADER = "timestamp,open,high,low,close,volume"


def written(folder: Path, name: str, minutes: Sequence[int], price: int = 100) -> Path:
    path = folder / name
    lines = [f"2026-01-05T00:{minute:02}:00Z,{price},{price + 1},{price},{price},1" for minute in minutes]
    path.write_text("\n".join([HEADER, *lines, ""]))
    return path


def seen(feed: CsvCandles) -> list[tuple[int, tuple[str, ...]]]:
    return [(candles[0].open_time.minute, tuple(candle.symbol for candle in candles)) for candles in feed.slices()]


@pytest.mark.parametrize(
    ("name", "session", "symbol"),
    [
        ("BTC_PERP-1m.csv", None, "BTC_PERP"),
        ("BTC-USD-1m.csv", None, "BTC-USD"),
        ("GOOG.csv", None, "GOOG"),
        ("btcusdt-1m.csv", ["ETHUSDT", "BTCUSDT"], "BTCUSDT"),
        ("candles.csv", None, "CANDLES"),
        ("BTC-USD.csv", ["BTC-USD"], "BTC-USD"),
        ("BTC-USD.csv", ["BTC", "ETH"], "BTC"),
        ("BTC-1m.csv", ["BTC"], "BTC"),
    ],
)
def test_the_name_of_a_file_tells_its_symbol(
    tmp_path: Path, name: str, session: Sequence[str] | None, symbol: str
) -> None:
    feed = load_csv([written(tmp_path, name, [0, 1])], session, only=False)
    assert feed.description.symbols == (symbol,)
    assert feed.description.repairs == ()


def test_a_session_of_one_symbol_takes_a_single_file_for_it_and_says_so(tmp_path: Path) -> None:
    feed = load_csv([written(tmp_path, "my candles.csv", [0, 1])], ["BTCUSDT"])
    (told,) = feed.description.repairs
    assert feed.description.symbols == ("BTCUSDT",)
    assert (told.rule, told.before, told.after) == ("named as the session's only symbol", "MY CANDLES", "BTCUSDT")


def test_slices_are_the_union_of_times_in_the_sessions_order_of_symbols(tmp_path: Path) -> None:
    files = [written(tmp_path, "ETH-1m.csv", [0, 1, 2, 4]), written(tmp_path, "BTC-1m.csv", [1, 2, 3, 4, 5])]
    feed = load_csv(files, ["BTC", "ETH"])
    both = ("BTC", "ETH")
    assert seen(feed) == [(0, ("ETH",)), (1, both), (2, both), (3, ("BTC",)), (4, both), (5, ("BTC",))]
    assert feed.description.slices == 6


def test_where_a_symbol_is_absent_is_told(tmp_path: Path) -> None:
    files = [written(tmp_path, "BTC-1m.csv", [0, 1, 2, 3]), written(tmp_path, "ETH-1m.csv", [0, 1, 3])]
    told = [(repair.rule, repair.before, repair.count) for repair in load_csv(files).description.repairs]
    assert told == [
        ("gaps kept, not filled", "1 bars of 1m missing; longest step 2m, up to line 4", 1),
        ("absent where other symbols have candles", "ETH", 1),
    ]


def with_column(folder: Path) -> Path:
    path = folder / "many.csv"
    lines = [f"{s},2026-01-05T00:0{minute}:00Z,1,2,1,2,1" for minute in range(3) for s in ("ETH", "BTC", "SOL")]
    path.write_text("\n".join([f"symbol,{HEADER}", *lines]))
    return path


def test_a_column_of_symbols_allows_many_in_one_file(tmp_path: Path) -> None:
    feed = load_csv([with_column(tmp_path)])
    assert seen(feed) == [(minute, ("ETH", "BTC", "SOL")) for minute in range(3)]


def test_symbols_that_the_session_does_not_name_are_left_out_and_told(tmp_path: Path) -> None:
    feed = load_csv([with_column(tmp_path)], ["BTC", "SOL"])
    assert seen(feed) == [(minute, ("BTC", "SOL")) for minute in range(3)]
    assert [(repair.rule, repair.before) for repair in feed.description.repairs] == [
        ("symbol left out, the session does not name it", "ETH")
    ]


def test_refuses_files_without_a_symbol_of_the_session(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"BTC-1m\.csv: no candles of ETH, SOL; found BTC"):
        load_csv([written(tmp_path, "BTC-1m.csv", [0, 1])], ["BTC", "ETH", "SOL"])


def test_refuses_a_symbol_that_two_files_hold(tmp_path: Path) -> None:
    files = [written(tmp_path, "BTC-1m.csv", [0, 1]), written(tmp_path, "BTC-2m.csv", [0, 2])]
    with pytest.raises(FeedError, match=r"BTC-2m\.csv:2: BTC comes from .*BTC-1m\.csv already"):
        load_csv(files)


def test_refuses_symbols_with_bars_of_different_lengths(tmp_path: Path) -> None:
    files = [written(tmp_path, "BTC-1m.csv", [0, 1]), written(tmp_path, "ETH-5m.csv", [0, 5])]
    with pytest.raises(FeedError, match=r"ETH-5m\.csv:2: ETH has bars of 5m, but BTC in .*BTC-1m\.csv has 1m"):
        load_csv(files)
