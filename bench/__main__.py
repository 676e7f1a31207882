"""`make bench`: every benchmark, as a table and as `bench/results/latest.json`."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from shared.domain import decider
from shared.runtime import clock
from shared.runtime.collector import spare_the_collector

RESULTS = Path(__file__).parent / "results" / "latest.json"
_WIDTH = 150
"""Columns of the table where it goes into a file."""
PARTS: Mapping[str, str] = {
    "order_path": "from a candle to the order that leaves, over the bus",
    "sending": "from an approved order to its request at the venue",
    "kill": "from a kill to the cancels at the venue",
    "hearing": "from an execution on the venue's stream to the fill on the bus",
    "symbols": "a hundred symbols on one runner",
    "slices": "market over the bus through the whole stack, a candle at a time",
    "backtest": "a year of minutes, and how its cost grows",
    "folds": "a fold rebuilt from the stream",
    "restarting": "a fold gone on with from a snapshot",
    "recording": "events into files and PostgreSQL",
    "replaying": "deciding a recorded session again",
    "services": "idle memory and time to ready",
    "desk": "what 50 browsers cost the guard",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that were asked for; answers 1 when a target was missed."""
    parser = argparse.ArgumentParser("python -m bench", description="Leitstand's benchmarks.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; by default all")
    parser.add_argument("--full", action="store_true", help="at full size; takes several times longer")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help=f"by default {RESULTS.name}")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    spare_the_collector()  # as the services do whose parts are measured here
    figures = _measured(given.parts or list(PARTS), given.full, Console(stderr=True))
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(_table(figures))
    _write(given.results, figures, given.full)
    return 1 if any(figure.met is False for each in figures.values() for figure in each) else 0


def _measured(parts: Sequence[str], full: bool, console: Console) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    for part in parts:
        with console.status(f"{part}: {PARTS[part]} …"):
            measure: Callable[[bool], list[Figure]] = import_module(f"bench.{part}").measure
            found[part] = measure(full)
        console.print(f"{part}: done")
    return found


def _table(figures: Mapping[str, Sequence[Figure]]) -> Table:
    table = Table("figure", "", "reference", "", "ratio", "target", "", title="Leitstand · make bench")
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for part in figures.values():
        for figure in part:
            table.add_row(*_cells(figure))
        table.add_section()
    return table


def _cells(figure: Figure) -> tuple[str, ...]:
    reference = "" if figure.reference_value is None else _number(figure.reference_value, figure.unit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} ×"
    mark = {None: "", True: "✔ met", False: "✖ missed"}[figure.met]
    value = _number(figure.value, figure.unit)
    return figure.name, value, figure.reference_name or "", reference, ratio, figure.target or "", mark


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:,.3g} {unit}"


def _write(path: Path, figures: Mapping[str, Sequence[Figure]], full: bool) -> None:
    path.parent.mkdir(exist_ok=True)
    found = json.loads(path.read_text()).get("parts", {}) if path.exists() else {}
    before = {part: figures for part, figures in found.items() if part in PARTS}
    now = {"at": clock.now().isoformat(), "code": _code(), "full": full}
    told = {part: {**now, **_part(each)} for part, each in figures.items()}
    document = {"machine": _machine(), "parts": {**before, **told}}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _part(figures: Sequence[Figure]) -> dict[str, Any]:
    return {"figures": [{name: value for name, value in asdict(f).items() if value is not None} for f in figures]}


def _code() -> str:
    return "interpreted" if decider.__file__.endswith(".py") else "compiled"


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(terse=True),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "steadiness": round(_steadiness(), 2),
    }


def _steadiness() -> float:
    """The share of its best speed that a plain loop keeps up for two seconds: near 1 on a machine of one's own.

    Where it is low, somebody else takes the machine's time; medians are then doubtful and 99th percentiles say nothing.
    """
    end, took = time.perf_counter() + 2, list[float]()
    while (began := time.perf_counter()) < end:
        sum(range(100_000))
        took.append(time.perf_counter() - began)
    return min(took) * len(took) / sum(took)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    sys.exit(main())
