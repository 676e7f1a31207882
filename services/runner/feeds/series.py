"""The candles of one symbol on their way from a file to a feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Row(NamedTuple):
    """A candle and the line that it stands on."""

    time: datetime
    line: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """One symbol's rows of one file."""

    source: str
    symbol: str
    rows: Sequence[Row]

    def at(self, row: Row) -> str:
        """Where a row stands, for people: `file:line`."""
        return f"{self.source}:{row.line}"

    def with_rows(self, rows: Sequence[Row]) -> "Series":
        """The same symbol of the same file with these rows."""
        return Series(self.source, self.symbol, rows)
