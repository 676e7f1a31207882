"""`sessions`: searching and filtering what was recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.recorder.folder import read_summary
from services.recorder.session_files import session_folders
from shared.domain.exact_json import spelled


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions are wanted; None wants all. `min_roi` is in per cent."""

    status: str | None = None
    since: datetime | None = None
    symbol: str | None = None
    strategy: str | None = None
    min_roi: Decimal | None = None

    def admits(self, document: dict[str, Any]) -> bool:
        """Whether a session's summary is wanted."""
        started = datetime.fromisoformat(document["session_start"])
        return (
            self.status in (None, document["status"])
            and (self.since is None or started >= self.since)
            and (self.symbol is None or self.symbol in document["symbols"])
            and (self.strategy is None or self.strategy in document["strategies"])
            and (self.min_roi is None or Decimal(document["roi"]) >= self.min_roi)
        )


def sessions(root: Path, wanted: Filter) -> list[dict[str, Any]]:
    """The summaries of the wanted sessions, the oldest first."""
    found = (read_summary(folder) for folder in session_folders(root))
    admitted = [document for document in found if document is not None and wanted.admits(document)]
    return sorted(admitted, key=lambda document: (document["session_start"], document["session_id"]))


def as_json(documents: Sequence[dict[str, Any]]) -> str:
    """The summaries as a JSON array."""
    return "[\n" + ",\n".join(spelled(document) for document in documents) + "\n]"


def table(documents: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The summaries as lines for people."""
    columns = [_HEAD, *(_cells(document) for document in documents)]
    widths = [max(len(line[place]) for line in columns) for place in range(len(_HEAD))]
    for line in columns:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


_HEAD = ("session", "name", "started (UTC)", "status", "mode", "equity", "roi %", "max dd %", "trades", "symbols")


def _cells(document: dict[str, Any]) -> tuple[str, ...]:
    started = datetime.fromisoformat(document["session_start"]).astimezone(UTC)
    return (
        document["session_id"],
        document["name"],
        f"{started:%Y-%m-%d %H:%M:%S}",
        document["status"],
        document["mode"],
        f"{document['current_equity']:,.2f} {document['quote']}",
        f"{document['roi']:+.2f}",
        f"{document['max_drawdown']:.2f}",
        str(document["totals"]["trades"]),
        ",".join(document["symbols"]),
    )
