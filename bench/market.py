"""Candles for benchmarks: a seeded random walk that crosses EMA 12/26 some 18 times in a thousand bars, each way."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

YEAR = 525_600
START = datetime(2026, 1, 5, tzinfo=UTC)
_BATCH = 10_000


def write_walk(path: Path, bars: int, seed: int = 1) -> Path:
    """One-minute candles as a candle file; answers its path."""
    with path.open("w") as file:
        file.write("timestamp,open,high,low,close,volume\n")
        lines = []
        for line in _walk(bars, seed):
            lines.append(line)
            if len(lines) == _BATCH:
                file.writelines(lines)
                lines.clear()
        file.writelines(lines)
    return path


def _walk(bars: int, seed: int) -> Iterator[str]:
    chance, price, at = Random(seed), 30_000.0, START
    for _ in range(bars):
        opened, price = price, round(price * (1 + chance.gauss(0, 0.0005)), 2)
        high = max(opened, price) + round(3 * chance.random(), 2)
        low = min(opened, price) - round(3 * chance.random(), 2)
        yield f"{at:%Y-%m-%dT%H:%M:%SZ},{opened:.2f},{high:.2f},{low:.2f},{price:.2f},{chance.randint(1, 99)}\n"
        at += timedelta(minutes=1)
