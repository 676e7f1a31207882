"""The files of real candles, where they are present: what they are known to hold is what the feed finds."""

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from services.runner.feeds.csv_file import load_csv

DATA = Path(__file__).parents[2].parent / "shared" / "data"
KNOWN = {
    "ETH_BTC-5m.csv": ("ETH_BTC", "5m", 5760, []),
    "XRP_USDT_PERP-5m.csv": ("XRP_USDT_PERP", "5m", 1999, []),
    "BTC_PERP-1m.csv": ("BTC_PERP", "1m", 45031, [("flat bars kept", 5)]),
    "GOOG-1d.csv": ("GOOG", "1d", 2148, [("gaps kept, not filled", 463)]),
}


@pytest.mark.parametrize("name", [name for name in KNOWN if (DATA / name).exists()])
def test_finds_what_the_file_is_known_to_hold(name: str) -> None:
    symbol, timeframe, rows, told = KNOWN[name]
    feed = load_csv([DATA / name])
    described = feed.description
    assert (described.symbols, described.timeframe, described.slices) == ((symbol,), timeframe, rows)
    assert [(repair.rule, repair.count) for repair in described.repairs] == told
    with (DATA / name).open(newline="") as file:
        written: Sequence[str] = [row["close"] for row in csv.DictReader(file)]
    assert [candle.close for (candle,) in feed.slices()] == [Decimal(close) for close in written]
