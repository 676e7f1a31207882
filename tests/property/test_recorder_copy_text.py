"""Rows as COPY's text: whatever a cell holds, one line a row comes out, from which the same cells are read again."""

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.recorder.core.copy_text import copy_text
from services.recorder.core.table_rows import Cell
from shared.schemas.values import iso, plain
from tests.property.test_codec import decimals, instants

texts = st.text(st.sampled_from("ab\\\t\n\rNt{}\"'é日")) | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00")
)
cells: st.SearchStrategy[Cell] = st.none() | texts | st.integers() | decimals | instants
_SPECIAL = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def spelled(cell: Cell) -> str | None:
    """The cell as PostgreSQL is told it, None for NULL."""
    if cell is None or isinstance(cell, str):
        return cell
    return iso(cell.astimezone(UTC)) if isinstance(cell, datetime) else plain(cell)  # type: ignore[arg-type]


def read(field: str) -> str | None:
    """A field as COPY reads it."""
    return None if field == "\\N" else re.sub(r"\\(.)", lambda found: _SPECIAL[found[1]], field)


@given(st.lists(st.lists(cells, min_size=1, max_size=5).map(tuple), max_size=4))
def test_what_is_written_is_what_copy_reads(rows: list[tuple[Cell, ...]]) -> None:
    *lines, rest = copy_text(rows).decode().split("\n")
    assert rest == ""
    assert [[read(field) for field in line.split("\t")] for line in lines] == [[*map(spelled, row)] for row in rows]
