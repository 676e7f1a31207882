"""The table of events in the architecture's page."""

from shared.schemas.catalogue import BY_NAME
from shared.schemas.envelope import Event
from shared.schemas.values import SERVICES

START = "<!-- events -->"
END = "<!-- /events -->"


def meaning(kind: type[Event]) -> str:
    """The first line of the type's docstring."""
    return (kind.__doc__ or "").strip().partition("\n")[0]


def _row(name: str, kind: type[Event]) -> str:
    writers, readers = (", ".join(s for s in SERVICES if s in group) for group in (kind.WRITERS, kind.READERS))
    return f"| `{name}` | {meaning(kind)} | {writers} | {readers} |"


def event_table() -> str:
    """A Markdown table: type, meaning, writers, readers."""
    rows = [_row(name, kind) for name, kind in BY_NAME.items()]
    return "\n".join(["| type | meaning | told by | read by |", "| --- | --- | --- | --- |", *rows])


def with_table(page: str) -> str:
    """The page with the table between its markers; ValueError when the page has none."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"put {START} and {END} where the table of events belongs")
    return f"{before}{START}\n{event_table()}\n{END}{after}"
