"""`DATA_DIR/run/endpoints.json`: where everything is while a stack runs embedded; and the lock that makes it one."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class OccupiedError(RuntimeError):
    """Another embedded stack runs on the same DATA_DIR; the message names it."""


@contextmanager
def sole_use(run: Path) -> Iterator[None]:
    """Hold the folder `run` for this process alone; OccupiedError when another one holds it."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise OccupiedError(
                f"another demo (process {lock.read().strip() or 'unknown'}) runs on {run.parent}; "
                "end it, or choose another folder with DATA_DIR=…"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def write_endpoints(run: Path, endpoints: Mapping[str, Any]) -> None:
    """Replace endpoints.json by `endpoints`, whole or not at all."""
    aside = run / "endpoints.json.new"
    aside.write_text(json.dumps(endpoints, indent=2) + "\n", encoding="utf-8")
    aside.replace(run / "endpoints.json")


def remove_endpoints(run: Path) -> None:
    """Tell that nothing runs any more."""
    (run / "endpoints.json").unlink(missing_ok=True)
    for announcement in (*run.glob("metrics-*.url"), *run.glob("desk.url")):
        announcement.unlink()


def metrics_urls(run: Path) -> dict[str, str]:
    """The metrics URL of each service that has announced one."""
    found = {path.stem.removeprefix("metrics-"): path for path in sorted(run.glob("metrics-*.url"))}
    return {name: text for name, path in found.items() if (text := _text(path))}


def desk_url(run: Path) -> str | None:
    """Where the control desk is, None before the guard has opened it."""
    return _text(run / "desk.url") or None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
