"""Market over the bus as fast as it goes: how long one candle takes through all four services and both servers."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

from bench.figures import Figure, at_most, told
from bench.market import write_walk
from shared.schemas.values import STACK

ROOT = Path(__file__).parents[1]
MONTH, MONTH_SECONDS = 45_000, 180
"""Minutes of a month, and how long they may take."""
PROMPT_SECONDS = 0.01
"""Candles that take longer are told apart, whatever held them up: on a machine that is shared they hide all others."""


def measure(full: bool) -> list[Figure]:
    """Milliseconds a candle, of all and of the prompt ones, and a month of minutes computed from either."""
    with TemporaryDirectory() as folder:
        path = write_walk(Path(folder) / "BTCUSDT-1m.csv", 20_000 if full else 2_500)
        _trade(path, Path(folder) / "data")
        recorded = (Path(folder) / "data" / "sessions").glob("*/events.jsonl")
        (events,) = (path for path in recorded if path.parent.name != STACK)
        gaps = _gaps(events)
    prompt = [gap for gap in gaps if gap <= PROMPT_SECONDS]
    return [
        told("a candle over the bus, median", median(gaps) * 1e3, "ms"),
        told("a candle over the bus, mean", fmean(gaps) * 1e3, "ms"),
        told("a candle over the bus, mean of those within 10 ms", fmean(prompt) * 1e3, "ms"),
        told("time that passed in slower ones", 100 * (1 - sum(prompt) / sum(gaps)), "%"),
        at_most("a month of minutes at that mean", fmean(gaps) * MONTH, "s", MONTH_SECONDS),
        told("a month of minutes, were all within 10 ms", fmean(prompt) * MONTH, "s"),
    ]


def _trade(candles: Path, data: Path) -> None:
    command = [sys.executable, "-m", "deploy.embedded.demo", "--session", "config/demo.toml"]
    command += ["--candles", str(candles), "--speed", "max"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATA_DIR": str(data)}, stdout=subprocess.DEVNULL, check=True)


def _gaps(events: Path) -> Sequence[float]:
    """Seconds from each candle that the runner told to the next."""
    with events.open(encoding="utf-8") as lines:
        facts = (json.loads(line) for line in lines if '"candle_closed"' in line)
        told_at = [datetime.fromisoformat(fact["timestamp"]).timestamp() for fact in facts]
    return [later - earlier for earlier, later in pairwise(told_at)]
