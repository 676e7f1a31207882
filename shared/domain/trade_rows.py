"""Round trips as rows of `trades.csv`, and back."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from shared.domain.portfolio import RoundTrip
from shared.schemas.values import iso, plain

FIELDS = (
    "strategy",
    "symbol",
    "qty",
    "entry_price",
    "exit_price",
    "opened_at",
    "closed_at",
    "fees",
    "pnl",
    "return_ratio",
)
HEADER = (",".join(FIELDS) + "\n").encode()


def _cell(value: str | Decimal | datetime) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return value if isinstance(value, str) else iso(value)


def row(trip: RoundTrip) -> bytes:
    """The round trip as one CSV line; decimals exact, instants in UTC."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_cell(getattr(trip, name)) for name in FIELDS])
    return line.getvalue().encode()


def read_rows(lines: Iterable[str]) -> Iterator[RoundTrip]:
    """The round trips of a `trades.csv`; ValueError or KeyError when it is none."""
    for cells in csv.DictReader(lines):
        numbers = {name: Decimal(cells[name]) for name in FIELDS if name not in {"strategy", "symbol", *_INSTANTS}}
        instants = {name: datetime.fromisoformat(cells[name]) for name in _INSTANTS}
        yield RoundTrip(strategy=cells["strategy"], symbol=cells["symbol"], **numbers, **instants)  # type: ignore[arg-type]


_INSTANTS = ("opened_at", "closed_at")
