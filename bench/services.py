"""What an idle service costs: the time until it is ready, and its memory."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.error import URLError

import psutil

from bench.figures import Figure, told
from deploy.embedded.nats_server import start_nats
from deploy.embedded.postgres_server import start_postgres

SERVICES = ("risk", "notifier", "recorder")
PATIENCE_SECONDS = 120.0


def measure(full: bool) -> list[Figure]:
    """Seconds to ready and resident memory of each service that can idle; the runner idles within a demo only."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with start_nats(home / "nats") as bus, start_postgres(home / "postgres") as database:
            own = {"NATS_URL": bus.url, "DATABASE_URL": database.url, "DATA_DIR": folder, "METRICS_PORT": "0"}
            return [figure for name in SERVICES for figure in _idle(name, home, own)]


def _idle(name: str, home: Path, settings: Mapping[str, str]) -> Iterator[Figure]:
    began = time.perf_counter()
    command = [sys.executable, "-m", f"services.{name}", "run"]
    process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    try:
        _await_ready(home / "run" / f"metrics-{name}.url")
        yield told(f"{name}, time to ready", time.perf_counter() - began, "s")
        yield told(f"{name}, idle memory", psutil.Process(process.pid).memory_info().rss / 2**20, "MiB")
    finally:
        process.terminate()
        process.wait()


def _await_ready(announcement: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (announcement.exists() and _is_ready(announcement.read_text().strip())):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.02)


def _is_ready(metrics_url: str) -> bool:
    url = metrics_url.removesuffix("/metrics") + "/readyz"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
