"""What the demo prints when the session is over: the summary as a table, and the paths of what was written."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.embedded.display import money, signed

WRITTEN = ("summary.json", "report.html", "trades.csv", "events.jsonl")


def print_summary(console: Console, folder: Path) -> None:
    """Print the summary in the session's `folder`, and what else is there."""
    summary = folder / "summary.json"
    if not summary.exists():
        console.print(f"No summary was written to {folder}.", highlight=False)
        return
    document = json.loads(summary.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
    table = Table(title=f"Session {document['session_id']}", show_header=False, title_justify="left")
    for name, value in _lines(document):
        table.add_row(name, value)
    console.print(table, highlight=False)
    for name in WRITTEN:
        if (folder / name).exists():
            console.print(f"  {folder / name}", highlight=False, soft_wrap=True)


def _lines(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    totals, quote = document["totals"], document.get("quote", "")
    result = Decimal(document["current_equity"]) - Decimal(document["initial_capital"])
    yield "status", document["status"]
    yield "strategies", ", ".join(document["strategies"])
    yield "symbols", ", ".join(document["symbols"])
    yield "initial capital", f"{money(Decimal(document['initial_capital']))} {quote}"
    yield "final equity", f"{money(Decimal(document['current_equity']))} {quote}"
    yield "result", f"{signed(result)} {quote} ({Decimal(document['roi']):+.4f} %)"
    if shadow := document.get("shadow"):
        yield "its shadow's equity", f"{money(Decimal(shadow['current_equity']))} {quote} ({shadow['roi']:+.4f} %)"
    yield "largest drawdown", f"{Decimal(document['max_drawdown']):.4f} %"
    yield "fees", f"{money(Decimal(document['fees']))} {quote}"
    yield "trades", f"{totals['trades']}, {totals['wins']} won, {totals['losses']} lost"
    yield "runtime", f"{Decimal(document['runtime_secs']):.1f} s"
