"""Whatever a candle file holds: it is refused with its line, or every candle that comes out is sound."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from services.runner.feeds.csv_clean import read_clean
from services.runner.feeds.csv_file import CsvCandles, load_csv
from services.runner.feeds.csv_rows import read_rows
from services.runner.feeds.port import FeedError

HEADER = "timestamp,open,high,low,close,volume"
START = datetime(2026, 1, 5, tzinfo=UTC)
CELLS = st.sampled_from(["1", "2", "0.5", "1e1", "0", "-1", "nan", "inf", "", "x", " 1", "1_0", "٣", '"2"', '"'])
TIMES = st.integers(0, 6).map(lambda minute: f"2026-01-05T00:0{minute}:00Z") | st.sampled_from(["", "x", "2026-01-05"])
PRICES = st.integers(1, 100_000)


def load(text: str) -> CsvCandles:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "BTCUSDT-1m.csv"
        path.write_bytes(text.encode())
        return load_csv([path])


def loaded_or_refused(text: str) -> CsvCandles | str:
    try:
        return load(text)
    except FeedError as error:
        return str(error)


def is_sound_or_refused_with_its_line(outcome: CsvCandles | str) -> bool:
    return ".csv:" in outcome if isinstance(outcome, str) else is_sound(outcome)


def is_sound(feed: CsvCandles) -> bool:
    candles = [candle for (candle,) in feed.slices()]
    times = [candle.open_time for candle in candles]
    return times == sorted(set(times)) and all(
        0 < candle.low <= min(candle.open, candle.close)
        and max(candle.open, candle.close) <= candle.high
        and candle.volume >= 0
        and all(value.is_finite() for value in (candle.low, candle.high, candle.volume))
        for candle in candles
    )


def file_of(rows: Sequence[str]) -> str:
    return "\n".join([HEADER, *rows, ""])


@given(st.lists(st.tuples(TIMES, CELLS, CELLS, CELLS, CELLS, CELLS).map(",".join), max_size=8))
def test_a_file_of_odd_rows_is_refused_with_its_line_or_all_its_candles_are_sound(rows: list[str]) -> None:
    assert is_sound_or_refused_with_its_line(loaded_or_refused(file_of(rows)))


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_text_at_all_breaks_the_reader(text: str) -> None:
    assert is_sound_or_refused_with_its_line(loaded_or_refused(f"{HEADER}\n{text}"))


@given(
    st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES), min_size=3, max_size=15),
    st.sets(st.integers(0, 14)),
    st.randoms(use_true_random=False),
)
def test_shuffled_and_repeated_rows_give_the_candles_of_the_clean_file(
    prices: list[tuple[int, ...]], repeated: set[int], chance: random.Random
) -> None:
    rows = []
    for bar, (open_, close, *reach) in enumerate(prices):
        high, low = max(open_, close, *reach), min(open_, close, *reach)
        rows.append(f"{(START + timedelta(minutes=bar)).isoformat()},{open_},{high},{low},{close},1")
    untidy = [*rows, *(rows[bar] for bar in repeated if bar < len(rows))]
    chance.shuffle(untidy)
    assert list(load(file_of(untidy)).slices()) == list(load(file_of(rows)).slices())


ALMOST_CLEAN = st.sampled_from(["100", "100.0", "99.50", "100.5", "101", "101.", ".5", "007", "1.2.3", "", ".", "5,5"])
WELL = st.sampled_from(["100", "100.0", "100.00", "100.000000000000"])
ROWS = st.tuples(*[WELL | ALMOST_CLEAN] * 4, ALMOST_CLEAN) | st.tuples(*[WELL] * 5)


@given(
    st.lists(ROWS, min_size=1, max_size=8),
    st.sampled_from([60, 60, 90, 86_400]),
    st.sampled_from(["Z", "Z", "Z", "+00:00", "+01:00", ".5Z", ""]),
    st.sets(st.integers(0, 7), max_size=1),
    st.sampled_from(["\n", "\n", "", "\n\n", "\r\n", "\n "]),
)
def test_what_the_quick_way_reads_the_careful_way_reads_alike(
    rows: list[tuple[str, ...]], step: int, zone: str, late: set[int], ending: str
) -> None:
    times = [START + timedelta(seconds=step * number + 60 * (number in late)) for number in range(len(rows))]
    lines = [",".join([f"{at:%Y-%m-%dT%H:%M:%S}{zone}", *cells]) for at, cells in zip(times, rows, strict=True)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "BTCUSDT-1m.csv"
        path.write_bytes(("\n".join([HEADER, *lines]) + ending).encode())
        clean = read_clean(path)
        if clean is None:
            return
        careful, repairs = read_rows(path)
    assert repairs == []
    assert [str(row) for row in clean] == [str(row) for row in careful[None]]
    assert [clean.close(number) for number in range(len(clean))] == [row.close for row in careful[None]]
    assert list(clean.bars.closes) == [float(row.close) for row in careful[None]]


def test_a_tidy_file_is_read_the_quick_way(tmp_path: Path) -> None:
    rows = [f"{START + number * timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ},10,11.5,9,10.50,3" for number in range(9)]
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text(file_of(rows))
    clean = read_clean(path)
    assert clean is not None
    assert list(clean) == read_rows(path)[0][None]
