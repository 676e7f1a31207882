"""Servers that an earlier supervisor could not end, found by the path on their command line."""

import signal
from contextlib import suppress
from pathlib import Path

import psutil

PATIENCE_SECONDS = 5.0


def end_leftovers(path: Path) -> int:
    """End every process that was started with `path` as an argument, and its children; answers how many there were."""
    found = [process for process in psutil.process_iter(["cmdline"]) if str(path) in (process.info["cmdline"] or ())]
    family = [member for process in found for member in (process, *_children(process))]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs(family, PATIENCE_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, PATIENCE_SECONDS)
    return len(found)


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return list(process.children(recursive=True))
    return []
