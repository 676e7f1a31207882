"""The demo as a user runs it: real servers, four processes, one session; held against the backtest."""

import csv
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 600
SESSION = """
name = "twice"
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


def write_walk(folder: Path, bars: int = 240) -> tuple[Path, Path]:
    """A session file and its candles."""
    walk, price, at = random.Random(5), 100.0, datetime(2026, 1, 5, tzinfo=UTC)
    candles = folder / "WALK-1m.csv"
    with candles.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "open", "high", "low", "close", "volume"])
        for _ in range(bars):
            close = round(price * (1 + walk.gauss(0, 0.002)), 2)
            high, low = round(max(price, close) * 1.001, 2), round(min(price, close) * 0.999, 2)
            rows.writerow([f"{at:%Y-%m-%dT%H:%M:%SZ}", price, high, low, close, walk.randrange(50, 500)])
            price, at = close, at + timedelta(minutes=1)
    session = folder / "twice.toml"
    session.write_text(SESSION)
    return session, candles


@contextmanager
def demo(data: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The demo under way; ended by force when a test leaves it running."""
    command = [sys.executable, "-m", "deploy.embedded.demo", *arguments]
    environment = {**os.environ, "DATA_DIR": str(data)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> str:
    """What the demo printed, once it has ended in good order."""
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, output[-3000:]
    return output


def eventually(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"never seen: {look.__name__}")


def events(folder: Path) -> list[dict[str, Any]]:
    path = folder / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def sessions(data: Path) -> list[Path]:
    """The recorded sessions, oldest first."""
    found = [path.parent for path in (data / "sessions").glob("*/events.jsonl")]
    traded = [folder for folder in found if set(folder.name) != {"0", "-"}]
    return sorted(traded, key=lambda folder: events(folder)[0]["timestamp"] if events(folder) else "")


def decisions(folder: Path) -> dict[str, list[Any]]:
    """Orders, fills and equity, without the names that every session makes its own."""
    told = events(folder)
    own = {"client_order_id"}
    return {
        kind: [
            (event["market_time"], {k: v for k, v in event.get(part, {}).items() if k not in own})
            for event in told
            if event["type"] == kind and event["service"] == "runner"
        ]
        for kind, part in (("order_intended", "order"), ("order_filled", "order"), ("equity_marked", "metrics"))
    }


def runner_of(process: subprocess.Popen[str]) -> psutil.Process | None:
    for child in psutil.Process(process.pid).children(recursive=True):
        if "services.runner" in child.cmdline():
            return child
    return None


def test_a_demo_whose_runner_is_killed_decides_exactly_as_the_backtest(tmp_path: Path) -> None:
    session, candles = write_walk(tmp_path)
    trading = ("--session", str(session), "--candles", str(candles))
    with demo(tmp_path / "data", *trading, "--speed", "max") as process:

        def in_the_middle() -> bool:
            found = sessions(tmp_path / "data")
            return bool(found) and sum(e["type"] == "order_filled" for e in events(found[0])) > 2

        eventually(in_the_middle)
        runner = runner_of(process)
        assert runner is not None
        runner.send_signal(signal.SIGKILL)
        output = ended(process)
    (folder,) = sessions(tmp_path / "data")
    assert json.loads((folder / "summary.json").read_text())["status"] == "success"
    assert str(folder / "report.html") in output.replace("\n", "")
    assert not (tmp_path / "data" / "run" / "endpoints.json").exists()

    command = [sys.executable, "-m", "services.runner", "backtest", *trading]
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "data")}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=PATIENCE_SECONDS)
    (backtested,) = (tmp_path / "data" / "backtests").iterdir()
    expected = decisions(backtested)
    assert decisions(folder) == expected
    assert len(expected["order_filled"]) > 10


def pull_the_plug(data: Path) -> None:
    """What `nats pub control.kill ""` sends, by a plain socket."""
    url = urlsplit(json.loads((data / "run" / "endpoints.json").read_text())["nats"])
    with socket.create_connection((url.hostname, url.port), 10) as connection:
        connection.recv(4096)
        connection.sendall(b'CONNECT {"verbose":false}\r\nPUB control.kill 0\r\n\r\nPING\r\n')
        while b"PONG" not in connection.recv(4096):
            pass


def heard_by_runner(event: dict[str, Any]) -> bool:
    """The first fact that shows that the runner knows of the kill: its own word, or the flattening that it leads to."""
    if event["type"] == "order_intended":
        return bool(event["order"]["purpose"] == "flatten")
    return event["type"] == "venue_observed" or (event["type"] == "trading_halted" and event["service"] == "runner")


def test_an_empty_kill_from_a_plain_client_stops_a_running_demo_and_a_restart_stays_stopped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with demo(data, "--speed", "1200", "--duration", "600s") as process:
        eventually(lambda: sessions(data) and any(e["type"] == "order_filled" for e in events(sessions(data)[0])))
        pull_the_plug(data)
        eventually(lambda: any(e["type"] == "kill_confirmed" for e in events(sessions(data)[0])))
        process.send_signal(signal.SIGINT)
        ended(process)
    first = sessions(data)[0]
    told = events(first)
    confirmed = next(event for event in told if event["type"] == "kill_confirmed")
    assert confirmed["status"] == "success"
    assert confirmed["details"]["open_orders"] == []
    assert json.loads((first / "summary.json").read_text())["status"] == "killed"
    after_the_halt = told[[e["type"] for e in told].index("trading_halted") :]
    approved = [e["order"]["purpose"] for e in after_the_halt if e["type"] == "order_approved"]
    assert set(approved) <= {"flatten"}
    heard = next(n for n, e in enumerate(after_the_halt) if heard_by_runner(e))
    sent = [e["order"]["purpose"] for e in after_the_halt[heard:] if e["type"] == "order_submitted"]
    assert set(sent) <= {"flatten"}

    with demo(data, "--speed", "max", "--duration", "5s") as process:
        output = ended(process)
    second = sessions(data)[1]
    assert "order_submitted" not in [event["type"] for event in events(second)]
    assert json.loads((second / "summary.json").read_text())["status"] == "killed"
    assert "resume" in output
