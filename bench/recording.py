"""How fast the recorder takes events into the session's files and PostgreSQL together."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.bare import beside_bare, read_barely, timed
from bench.figures import Figure, at_least_as_there
from deploy.embedded.nats_server import start_nats
from deploy.embedded.postgres_server import start_postgres
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from tests.bus_facts import settings_for
from tests.recorder_story import SESSION, Story

TARGET = 20_000
PATIENCE_SECONDS = 600.0
_ROUNDS = 3


def measure(full: bool) -> list[Figure]:
    """Events a second from the first that is recorded to the last, by a recorder that finds them all stored."""
    with tempfile.TemporaryDirectory() as folder, start_nats(Path(folder) / "nats") as bus:
        settings = settings_for(bus.url, Path(folder))
        count = asyncio.run(_store(settings, 40_000 if full else 4_000))
        speeds, bare = [], []
        for number in range(_ROUNDS):
            bare.append(count / asyncio.run(timed(lambda: read_barely(settings, count))))
            speeds.append(_anew(Path(folder) / str(number), bus.url, count))
    name, reference = f"recorder, {count:,} events into files and PostgreSQL", beside_bare(max(bare))
    return [*at_least_as_there(name, max(speeds), "events/s", TARGET, reference)]


async def _store(settings: Settings, bars: int) -> int:
    events = Story().whole(bars)
    bus = await Bus.connect(settings, "runner")
    try:
        await bus.ensure_streams()
        await bus.append(events)
    finally:
        await bus.close()
    return len(events)


def _anew(home: Path, bus: str, count: int) -> float:
    """The speed of a recorder that has neither files nor tables yet."""
    home.mkdir()
    with start_postgres(home / "postgres") as database:
        own = {"NATS_URL": bus, "DATABASE_URL": database.url, "DATA_DIR": str(home), "METRICS_PORT": "0"}
        return _recorded(home, database.url, count, own)


def _recorded(home: Path, database: str, count: int, environment: Mapping[str, str]) -> float:
    lines = home / "sessions" / SESSION / "events.jsonl"
    with psycopg.connect(database, autocommit=True) as connection, _recorder(environment):
        _await(lambda: lines.exists() and lines.stat().st_size > 0)
        began = time.perf_counter()
        _await(lambda: _position(connection) >= count)
        seconds = time.perf_counter() - began
        # Counted afterwards, for it would take time from those that are measured.
        assert _rows(connection) >= count
        assert lines.read_bytes().count(b"\n") >= count
        return count / seconds


def _position(connection: psycopg.Connection[tuple[int]]) -> int:
    """How far the tables reach, whose rows are committed with it; the files are written first."""
    found = connection.execute("SELECT sequence FROM recorder_position").fetchone()
    return found[0] if found else 0


def _rows(connection: psycopg.Connection[tuple[int]]) -> int:
    found = connection.execute("SELECT count(*) FROM events").fetchone()
    return found[0] if found else 0


@contextmanager
def _recorder(environment: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "services.recorder", "run"]
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _await(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.05)
