"""`validate`: a session folder against the schema, the order of things, and its own summary and trades."""

from collections.abc import Iterator
from pathlib import Path

from services.recorder.core.validation import Validation
from services.recorder.folder import FolderError, read_event, read_summary
from services.recorder.session_files import EVENTS_FILE, SUMMARY_FILE, TRADES_FILE
from shared.domain.exact_json import spelled
from shared.domain.summary import Summary, as_document, initial, step
from shared.domain.trade_rows import HEADER, row
from shared.schemas.codec import UndecodableError
from shared.schemas.values import STACK


def findings(folder: Path) -> Iterator[str]:
    """What is wrong with a session's folder, one line each; nothing when all is well."""
    path = folder / EVENTS_FILE
    if not path.is_file():
        yield f"{EVENTS_FILE} is missing"
        return
    summary, trades = initial(folder.name), [HEADER]
    checks = Validation(folder.name)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                event = read_event(line)
            except UndecodableError as error:
                yield f"{EVENTS_FILE}:{number}: {error}"
                continue
            if folder.name != STACK:
                yield from (f"{EVENTS_FILE}:{number}: {finding}" for finding in checks.findings(event))
            summary, trip = step(summary, event)
            if trip is not None:
                trades.append(row(trip))
    if folder.name != STACK:
        yield from checks.at_end()
        yield from _derived(folder, summary, b"".join(trades))


def _derived(folder: Path, summary: Summary, trades: bytes) -> Iterator[str]:
    """Where summary.json and trades.csv differ from what the events say."""
    trades_path = folder / TRADES_FILE
    if not trades_path.is_file() or trades_path.read_bytes() != trades:
        yield f"{TRADES_FILE} is not what the events say"
    if summary.start is None:
        return
    try:
        written = read_summary(folder)
    except FolderError as error:
        yield str(error)
        return
    expected = as_document(summary)
    for name, value in expected.items():
        if written is None or spelled(written.get(name)) != spelled(value):
            found = spelled(written.get(name)) if written else "nothing"
            yield f"{SUMMARY_FILE}: {name} is {found}, the events say {spelled(value)}"
