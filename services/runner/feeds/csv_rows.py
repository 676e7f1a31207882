"""A candle file, row by row: CSV with the header `timestamp,open,high,low,close,volume`, and `symbol` if it likes."""

import codecs
import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from services.runner.feeds.csv_values import Prices, ValueRefused, instant, require_range, symbol, volume
from services.runner.feeds.port import FeedError
from services.runner.feeds.series import Row
from shared.schemas.lifecycle import Repair

if TYPE_CHECKING:
    from _csv import Reader

HEADER = ("timestamp", "open", "high", "low", "close", "volume")

Rows = Mapping[str | None, Sequence[Row]]
"""Rows by symbol as they stand in the file; None where the file has no column `symbol`."""


def read_rows(path: Path) -> tuple[Rows, list[Repair]]:
    """A file's rows, each valid by itself, and how the text was mended; FeedError names the first line that fails."""
    source = str(path)
    text, repairs = _text(path)
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    blanks: list[int] = []
    try:
        rows = _parsed(reader, _symbol_position(next(reader, None)), blanks)
    except (ValueRefused, csv.Error) as error:
        raise FeedError(f"{source}:{max(reader.line_num, 1)}: {error}") from None
    if not rows:
        raise FeedError(f"{source}:1: no candle follows the header")
    if blanks:
        repairs.append(Repair(rule="blank lines skipped", source=source, line=blanks[0], count=len(blanks)))
    return rows, repairs


def _text(path: Path) -> tuple[str, list[Repair]]:
    source = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FeedError(f"{source}: cannot be read: {error.strerror}") from None
    try:
        return content.decode("utf-8-sig"), _encoding_repairs(source, content)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FeedError(f"{source}:{line}: is not UTF-8 text ({error.reason})") from None


def _encoding_repairs(source: str, content: bytes) -> list[Repair]:
    repairs = []
    if content.startswith(codecs.BOM_UTF8):
        repairs.append(Repair(rule="byte order mark skipped", source=source, line=1))
    if pairs := content.count(b"\r\n"):
        repairs.append(Repair(rule="CRLF read as line end", source=source, line=1, count=pairs))
    return repairs


def _symbol_position(header: list[str] | None) -> int | None:
    expected = ",".join(HEADER)
    if header is None:
        raise ValueRefused(f"the file is empty; its first line must be {expected}")
    position = header.index("symbol") if "symbol" in header else None
    names = [name for index, name in enumerate(header) if index != position]
    if tuple(names) != HEADER:
        raise ValueRefused(f"the header is {','.join(header)!r}; it must be {expected!r}, where symbol may be added")
    return position


def _parsed(reader: "Reader", position: int | None, blanks: list[int]) -> Rows:
    prices = Prices()
    rows: dict[str | None, list[Row]] = {}
    width = len(HEADER) + (position is not None)
    for fields in reader:
        if len(fields) != width:
            _require_blank(fields, width)
            blanks.append(reader.line_num)
            continue
        name = None if position is None else symbol(fields.pop(position))
        row = _row(fields, reader.line_num, prices)
        rows.setdefault(name, []).append(row)
    return rows


def _require_blank(fields: list[str], width: int) -> None:
    if len(fields) > 1 or "".join(fields).strip():
        raise ValueRefused(f"{len(fields)} fields instead of {width}")


def _row(fields: list[str], line: int, prices: Prices) -> Row:
    time, open_text, high_text, low_text, close_text, traded = fields
    open_, high, low, close = prices[open_text], prices[high_text], prices[low_text], prices[close_text]
    if not (low <= open_ <= high and low <= close <= high):
        require_range(open_, high, low, close)
    return Row(instant(time), line, open_, high, low, close, volume(traded))
