"""Rows as the text that PostgreSQL's COPY reads."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from services.recorder.core.table_rows import Row
from shared.schemas.values import iso, plain

_NOTHING = "\x00"
"""Stands for NULL while a line is put together: no text that a row holds has this character."""
_NULL = "\\N"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPELLINGS: Mapping[type[Any], Callable[[Any], str]] = {
    Decimal: plain,
    datetime: lru_cache(4096)(iso),
    type(None): lambda _: _NOTHING,
}


def copy_text(rows: Iterable[Row]) -> bytes:
    """One line a row, in the order of its cells."""
    return "".join([_line(row) for row in rows]).encode()


def _line(row: Row) -> str:
    cells = [cell if type(cell) is str else _SPELLINGS.get(type(cell), str)(cell) for cell in row]
    line = "\t".join(cells)
    # Looked at as a whole, since hardly any line has something to escape.
    if "\\" in line or "\n" in line or "\r" in line or line.count("\t") >= len(cells):
        line = "\t".join([cell.translate(_ESCAPED) for cell in cells])
    return line.replace(_NOTHING, _NULL) + "\n"
