"""Whatever a candle file holds: it is refused with its line, or every candle that comes out is sound."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from services.runner.feeds.csv_file import CsvCandles, load_csv
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
