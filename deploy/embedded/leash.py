"""Ends what the supervisor started when the supervisor itself is gone, even by kill -9.

Run as a program it reads `+<pid>` and `-<pid>` lines. When its input ends, it asks the processes that are left to end,
the last ones started first, and ends by force those that do not. `Leash` is the supervisor's side of it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

PATIENCE_SECONDS = 8.0


class Leash:
    """Holds processes as long as this one lives."""

    def __init__(self) -> None:
        self._watcher = subprocess.Popen(
            [sys.executable, "-S", "-E", os.path.abspath(__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def hold(self, pid: int) -> None:
        """From here on `pid` does not outlive this process by more than a few seconds."""
        self._tell(f"+{pid}\n")

    def release(self, pid: int) -> None:
        """`pid` has ended; its number may soon be another's."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Let the watcher end; what it still holds ends with it."""
        assert self._watcher.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._watcher.stdin.close()
        self._watcher.wait()

    def _tell(self, line: str) -> None:
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(line.encode())
        self._watcher.stdin.flush()


def watch(lines: Iterable[str]) -> list[int]:
    """The processes that are still held when `lines` end, in the order they were started."""
    held: dict[int, None] = {}
    for line in lines:
        if line.startswith("+"):
            held[int(line[1:])] = None
        else:
            held.pop(int(line[1:]), None)
    return list(held)


def end(pids: Iterable[int]) -> None:
    """Ask each of `pids` to end and wait for it a while; then end it by force."""
    for pid in pids:
        _signal(pid, signal.SIGINT)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _signal(pid, 0) and time.monotonic() < deadline:
            time.sleep(0.02)
        _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Wait for the supervisor's end, then end what it has left behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end(reversed(watch(sys.stdin)))


if __name__ == "__main__":
    main()
