"""The demo as a user runs it: real servers, four processes, and a kill switch that a plain socket pulls."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.walk_session import events, session_folders

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 600


ALWAYS_INVESTED = """
name = "always-invested"
symbols = ["BTCUSDT"]
timeframe = "1m"
initial_capital = 10000
[feed]
kind = "simulated"
start = 2026-01-05T00:00:00Z
[[strategies]]
name = "rebalance"
params = { weights = { BTCUSDT = 0.4 }, tolerance = 0.9 }
[risk]
max_risk_per_trade = "off"
"""
"""A session that buys at its first bar and never sells before its end, so that it holds a position at any moment."""


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
        time.sleep(0.5)
    raise AssertionError(f"never seen: {look.__name__}")


def types_told(data: Path) -> set[str]:
    """The types of fact that the sessions so far hold."""
    return {event["type"] for folder in session_folders(data) for event in events(folder)}


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
    return (event["type"], event["service"]) in (("venue_observed", "runner"), ("trading_halted", "runner"))


def test_an_empty_kill_from_a_plain_client_stops_a_running_demo_and_a_restart_stays_stopped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with demo(data, "--speed", "1200", "--duration", "600s") as process:
        eventually(lambda: "order_filled" in types_told(data))
        pull_the_plug(data)
        eventually(lambda: "kill_confirmed" in types_told(data))
        process.send_signal(signal.SIGINT)
        ended(process)
    first = session_folders(data)[0]
    told = events(first)
    confirmed = next(event for event in told if event["type"] == "kill_confirmed")
    assert confirmed["status"] == "success"
    assert confirmed["details"]["open_orders"] == []
    assert json.loads((first / "summary.json").read_text())["status"] == "killed"
    words = [(event["type"], event["service"]) for event in told]
    after_the_guards_word = told[words.index(("trading_halted", "risk")) :]
    approved = [e["order"] for e in after_the_guards_word if e["type"] == "order_approved"]
    assert all(order["reduce_only"] for order in approved)
    after_the_halt = told[[kind for kind, _ in words].index("trading_halted") :]
    heard = next(n for n, e in enumerate(after_the_halt) if heard_by_runner(e))
    sent = [e["order"]["purpose"] for e in after_the_halt[heard:] if e["type"] == "order_submitted"]
    assert set(sent) <= {"flatten"}

    with demo(data, "--speed", "max", "--duration", "5s") as process:
        output = ended(process)
    second = session_folders(data)[1]
    assert "order_submitted" not in [event["type"] for event in events(second)]
    assert json.loads((second / "summary.json").read_text())["status"] == "killed"
    assert "resume" in output
    assert str(second / "report.html") in output.replace("\n", "")
    assert not (data / "run" / "endpoints.json").exists()


def test_ctrl_c_amid_a_position_closes_it_and_ends_the_session_in_good_order(tmp_path: Path) -> None:
    data, always_invested = tmp_path / "data", tmp_path / "session.toml"
    always_invested.write_text(ALWAYS_INVESTED)
    with demo(data, "--speed", "600", "--session", str(always_invested)) as process:
        eventually(lambda: "order_filled" in types_told(data))
        process.send_signal(signal.SIGINT)
        output = ended(process)
    assert "Session ended: success" in output
    (folder,) = session_folders(data)
    told = events(folder)
    bought, sold = (
        [Decimal(e["order"]["qty"]) for e in told if e["type"] == "order_filled" and e["order"]["side"] == side]
        for side in ("buy", "sell")
    )
    assert sum(bought) == sum(sold) > 0
    assert "flatten" in {e["order"]["purpose"] for e in told if e["type"] == "order_submitted"}
