"""A session with limit entries, stops, latency, partial fills and jitter over a random walk, and what it decided."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SESSION = """
name = "walk"
symbols = ["WALK"]
timeframe = "1m"
initial_capital = 10000
warmup_bars = 30
[feed]
kind = "csv"
files = ["WALK-1m.csv"]
[[strategies]]
name = "ema_crossover"
params = { fast = 3, slow = 8 }
[[strategies]]
name = "bollinger"
[sizing]
method = "risk"
risk_per_trade = 0.005
stop_distance = 0.01
[orders]
entry = "limit"
limit_offset = 0.0005
[paper]
slippage = 0.0002
slippage_jitter = 0.0002
latency = "5s"
participation = 0.2
[instrument]
tick_size = 0.01
lot_step = 0.001
[risk]
max_position_size = 0.4
max_orders_per_minute = 4
"""
DECISIVE = {
    "signal_raised": "details",
    "order_intended": "order",
    "order_filled": "order",
    "equity_marked": "metrics",
}


def write_walk(folder: Path, bars: int = 240, seed: int = 5) -> tuple[Path, Path]:
    """A session file and its candles."""
    walk, price, at = random.Random(seed), 100.0, datetime(2026, 1, 5, tzinfo=UTC)
    candles = folder / "WALK-1m.csv"
    with candles.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "open", "high", "low", "close", "volume"])
        for _ in range(bars):
            close = round(price * (1 + walk.gauss(0, 0.002)), 2)
            high, low = round(max(price, close) * 1.001, 2), round(min(price, close) * 0.999, 2)
            rows.writerow([f"{at:%Y-%m-%dT%H:%M:%SZ}", price, high, low, close, walk.randrange(50, 500)])
            price, at = close, at + timedelta(minutes=1)
    session = folder / "walk.toml"
    session.write_text(SESSION)
    return session, candles


def events(folder: Path) -> list[dict[str, Any]]:
    """What a session's folder holds, in order; nothing before it is there."""
    path = folder / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def session_folders(data: Path) -> list[Path]:
    """The recorded sessions, oldest first."""
    found = [path.parent for path in (data / "sessions").glob("*/events.jsonl")]
    traded = [folder for folder in found if set(folder.name) != {"0", "-"}]
    return sorted(traded, key=_began)


def _began(folder: Path) -> str:
    """When the first recorded fact was told; a recorder that was killed writes its file anew, so it may be empty."""
    return next((event["timestamp"] for event in events(folder)), "")


def decisions(folder: Path) -> dict[str, list[Any]]:
    """Signals, intents, fills and equity, without the names that every session makes its own."""
    told = [event for event in events(folder) if event["service"] == "runner"]
    return {
        kind: [
            (event["market_time"], {k: v for k, v in event.get(part, {}).items() if k != "client_order_id"})
            for event in told
            if event["type"] == kind
        ]
        for kind, part in DECISIVE.items()
    }
