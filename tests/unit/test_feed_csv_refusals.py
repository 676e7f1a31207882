"""What no session trades on: refused before anything trades, with file, line and reason."""

from pathlib import Path

import pytest

from services.runner.feeds.csv_file import load_csv
from services.runner.feeds.port import FeedError

HEADER = "timestamp,open,high,low,close,volume"
GOOD = "2026-01-05T00:{minute:02}:00Z,100,101,99,100.5,12"


def written(folder: Path, *lines: str, name: str = "BTCUSDT-1m.csv") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def rows(*minutes: int) -> list[str]:
    return [GOOD.format(minute=minute) for minute in minutes]


def refusal(path: Path) -> str:
    with pytest.raises(FeedError) as refused:
        load_csv([path])
    assert str(refused.value).startswith(str(path))
    return str(refused.value).removeprefix(str(path))


def test_refuses_an_empty_file(tmp_path: Path) -> None:
    assert refusal(written(tmp_path)).startswith(":1: the file is empty")


def test_refuses_a_file_that_is_only_a_header(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, HEADER)) == ":1: no candle follows the header"


@pytest.mark.parametrize(
    "header",
    [
        "timestamp,open,high,low,close",
        "timestamp,high,open,low,close,volume",
        "Timestamp,open,high,low,close,volume",
        "timestamp,open,high,low,close,volume,trades",
        "2026-01-05T00:00:00Z,100,101,99,100.5,12",
        "",
    ],
)
def test_refuses_a_wrong_header(tmp_path: Path, header: str) -> None:
    assert refusal(written(tmp_path, header, *rows(0, 1))).startswith(":1: the header is ")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-01-05T00:02:00Z,NaN,101,99,100,1", "'NaN' is not a number"),
        ("2026-01-05T00:02:00Z,100,inf,99,100,1", "'inf' is not a number"),
        ("2026-01-05T00:02:00Z,100,101,99,abc,1", "'abc' is not a number"),
        ("2026-01-05T00:02:00Z,1_00,101,99,100,1", "'1_00' is not a number"),
        ("2026-01-05T00:02:00Z,100,101,99,100,", "a number is missing"),
        ("2026-01-05T00:02:00Z,100,101,99,100,nan", "'nan' is not a number"),
        ("2026-01-05T00:02:00Z,-100,101,99,100,1", "price -100 is not above zero"),
        ("2026-01-05T00:02:00Z,100,101,0,100,1", "price 0 is not above zero"),
        ("2026-01-05T00:02:00Z,100,101,99,100,-1", "volume -1 is negative"),
        ("2026-01-05T00:02:00Z,100,99,101,100,1", "high 99 is below low 101"),
        ("2026-01-05T00:02:00Z,102,101,99,100,1", "open 102 is outside the range from low 99 to high 101"),
        ("2026-01-05T00:02:00Z,100,101,99,98,1", "close 98 is outside the range from low 99 to high 101"),
        ("yesterday,100,101,99,100,1", "'yesterday' is not an ISO-8601 time"),
        ("1767571320,100,101,99,100,1", "'1767571320' is not an ISO-8601 time"),
        (",100,101,99,100,1", "'' is not an ISO-8601 time"),
        ("2026-01-05T00:02:00,100,101,99,100,1", "time '2026-01-05T00:02:00' has no time zone"),
        ("2026-01-05T00:02:00Z,100,101,99,100", "5 fields instead of 6"),
        ("2026-01-05T00:02:00Z,100,101,99,100,1,1", "7 fields instead of 6"),
        ("2026-01-05T00:02:30Z,100,101,99,100,1", "2026-01-05T00:02:30+00:00 is off the grid of 1m bars"),
        ("2026-01-05T00:01:00Z,100,101,99,100.6,12", "was told on line 3 already, with other values"),
    ],
)
def test_refuses_a_row_that_no_candle_can_be_made_of(tmp_path: Path, row: str, reason: str) -> None:
    said = refusal(written(tmp_path, HEADER, *rows(0, 1), row, *rows(3, 4, 5)))
    assert said.startswith(":4: ")
    assert reason in said


def test_the_line_of_a_refusal_counts_blank_lines_and_survives_sorting(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *rows(5, 4), "", "2026-01-05T00:04:00Z,1,1,1,1,1", *rows(3, 2))
    assert refusal(path).startswith(":5: 2026-01-05T00:04:00+00:00 was told on line 3 already")


def test_the_odd_row_is_blamed_even_if_it_comes_first(tmp_path: Path) -> None:
    odd = "2026-01-05T00:00:17Z,100,101,99,100,1"
    assert refusal(written(tmp_path, HEADER, odd, *rows(1, 2, 3, 4))).startswith(":2: 2026-01-05T00:00:17")


def test_refuses_daily_bars_that_overlap(tmp_path: Path) -> None:
    days = [f"2026-01-{day:02}T00:00:00Z,1,1,1,1,1" for day in range(1, 8)]
    path = written(tmp_path, HEADER, *days, "2026-01-07T12:00:00Z,1,1,1,1,1")
    assert refusal(path) == ":9: 2026-01-07T12:00:00+00:00 is off the grid of 1d bars"


def test_refuses_a_single_candle(tmp_path: Path) -> None:
    assert "two are the least" in refusal(written(tmp_path, HEADER, *rows(0)))


def test_refuses_bars_of_broken_seconds(tmp_path: Path) -> None:
    ticks = [f"2026-01-05T00:00:00.{tenth}Z,1,1,1,1,1" for tenth in range(0, 9, 3)]
    assert "whole seconds" in refusal(written(tmp_path, HEADER, *ticks))


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.csv") == ": cannot be read: No such file or directory"


def test_refuses_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT.csv"
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe\x00\n")
    assert refusal(path).startswith(":2: is not UTF-8 text")


def test_refuses_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, HEADER, *rows(0, 1), '"2026-01-05T00:02:00Z,1,1,1,1,1')).startswith(":4: ")


def test_refuses_a_name_that_is_no_symbol(tmp_path: Path) -> None:
    assert "its name must tell the symbol" in refusal(written(tmp_path, HEADER, *rows(0, 1), name="my candles.csv"))


def test_refuses_a_symbol_column_that_holds_none(tmp_path: Path) -> None:
    lines = [f"{HEADER},symbol", *(f"{row},btc usdt" for row in rows(0, 1))]
    assert refusal(written(tmp_path, *lines)).startswith(":2: 'btc usdt' is not a symbol")
