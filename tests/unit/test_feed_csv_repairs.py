"""What is mended by a stated rule, and told; what is kept as it is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from services.runner.feeds.csv_file import CsvCandles, load_csv
from shared.schemas.lifecycle import Repair
from shared.schemas.market import Candle

HEADER = "timestamp,open,high,low,close,volume"
GOOD = "2026-01-05T00:{minute:02}:00Z,100,101,99,100.50,12"


def written(folder: Path, *lines: str, end: str = "\n") -> Path:
    path = folder / "BTCUSDT-1m.csv"
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode())
    return path


def rows(*minutes: int) -> list[str]:
    return [GOOD.format(minute=minute) for minute in minutes]


def minutes(feed: CsvCandles) -> list[int]:
    return [candle.open_time.minute for candles in feed.slices() for candle in candles]


def only_repair(feed: CsvCandles) -> Repair:
    (repair,) = feed.description.repairs
    return repair


def test_a_sound_file_needs_no_repair(tmp_path: Path) -> None:
    feed = load_csv([written(tmp_path, HEADER, *rows(0, 1, 2))])
    assert feed.description.repairs == ()
    assert (feed.description.symbols, feed.description.timeframe, feed.description.slices) == (("BTCUSDT",), "1m", 3)


def test_prices_are_decimals_exactly_as_written(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *rows(0), "2026-01-05T00:01:00Z,0.09946999000000001,1e2,1E-8,.50,0")
    (first,), (second,) = load_csv([path]).slices()
    opened = datetime(2026, 1, 5, tzinfo=UTC)
    assert first == Candle(
        symbol="BTCUSDT",
        open_time=opened,
        close_time=opened + timedelta(minutes=1),
        open=Decimal(100),
        high=Decimal(101),
        low=Decimal(99),
        close=Decimal("100.50"),
        volume=Decimal(12),
    )
    assert str(first.close) == "100.50"
    prices = (second.open, second.high, second.low, second.close, second.volume)
    assert [format(price, "f") for price in prices] == ["0.09946999000000001", "100", "0.00000001", "0.50", "0"]


def test_asked_again_the_feed_yields_the_same_slices(tmp_path: Path) -> None:
    feed = load_csv([written(tmp_path, HEADER, *rows(0, 1, 2))])
    assert list(feed.slices()) == list(feed.slices())


def test_unsorted_rows_are_sorted_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *rows(2, 3, 0, 1, 4))
    feed = load_csv([path])
    assert minutes(feed) == [0, 1, 2, 3, 4]
    assert only_repair(feed) == Repair(rule="unsorted rows sorted by time", source=str(path), line=4, count=1)


def test_repeated_rows_are_dropped_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *rows(0, 1, 1, 1, 2))
    feed = load_csv([path])
    assert minutes(feed) == [0, 1, 2]
    assert only_repair(feed) == Repair(rule="repeated rows dropped", source=str(path), line=4, count=2)


def test_repetitions_are_found_among_unsorted_rows_too(tmp_path: Path) -> None:
    feed = load_csv([written(tmp_path, HEADER, *rows(3, 0, 1, 2, 0))])
    assert minutes(feed) == [0, 1, 2, 3]
    assert [repair.rule for repair in feed.description.repairs] == [
        "unsorted rows sorted by time",
        "repeated rows dropped",
    ]


def test_gaps_are_kept_unfilled_and_told_with_count_first_line_and_longest(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *rows(0, 1, 3, 4, 5, 9, 10))
    feed = load_csv([path])
    assert minutes(feed) == [0, 1, 3, 4, 5, 9, 10]
    told = only_repair(feed)
    assert (told.rule, told.line, told.count) == ("gaps kept, not filled", 4, 2)
    assert told.before == "4 bars of 1m missing; longest step 4m, up to line 7"


def test_flat_bars_are_kept_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *rows(0, 1), "2026-01-05T00:02:00Z,100,100,100,100,0", *rows(3))
    feed = load_csv([path])
    assert minutes(feed) == [0, 1, 2, 3]
    assert only_repair(feed) == Repair(rule="flat bars kept", source=str(path), line=4)


def test_byte_order_mark_windows_line_ends_and_blank_lines_are_tolerated_and_told(tmp_path: Path) -> None:
    feed = load_csv([written(tmp_path, f"\ufeff{HEADER}", *rows(0, 1), "", "  ", end="\r\n")])
    assert minutes(feed) == [0, 1]
    told = [(repair.rule, repair.line, repair.count) for repair in feed.description.repairs]
    assert told == [("byte order mark skipped", 1, 1), ("CRLF read as line end", 1, 5), ("blank lines skipped", 4, 2)]


def test_a_time_may_be_written_with_an_offset_and_counts_in_utc(tmp_path: Path) -> None:
    times = ["2026-01-05T00:00:00+00:00", "2026-01-05 00:01:00Z", "2026-01-05T01:02:00+01:00"]
    feed = load_csv([written(tmp_path, HEADER, *(f"{time},1,2,1,2,1" for time in times))])
    assert [candle.open_time for (candle,) in feed.slices()] == [
        datetime(2026, 1, 5, 0, minute, tzinfo=UTC) for minute in range(3)
    ]
    assert all(candle.open_time.tzinfo is UTC for (candle,) in feed.slices())


def test_daily_bars_follow_a_calendar(tmp_path: Path) -> None:
    days = ["03-05T05", "03-06T05", "03-09T04", "03-10T04", "03-11T04"]
    feed = load_csv([written(tmp_path, HEADER, *(f"2026-{day}:00:00Z,1,2,1,2,1" for day in days))])
    assert feed.description.timeframe == "1d"
    assert [repair.rule for repair in feed.description.repairs] == ["gaps kept, not filled"]


def test_a_last_line_without_an_end_counts(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *rows(0, 1))
    path.write_text(path.read_text().rstrip("\n"))
    assert minutes(load_csv([path])) == [0, 1]
