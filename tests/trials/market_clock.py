"""A clock on the wall that a trial sets: all processes of one trial read it from the same file.

Trading at a real venue goes by the wall clock. A trial moves it on as soon as a minute's work is done, so that a week
of market time takes minutes, and no decision depends on how fast the machine is.
"""

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAYOUT = struct.Struct("<qd")


class MarketClock:
    """Shows what it was set to, and what has passed since then."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)

    @classmethod
    def made(cls, path: Path, at: datetime) -> "MarketClock":
        """A new clock in the file `path`."""
        path.write_bytes(bytes(_LAYOUT.size))
        clock = cls(path)
        clock.set(at)
        return clock

    def set(self, at: datetime) -> None:
        """Let it be `at` now."""
        micros = (at - _EPOCH) // timedelta(microseconds=1)
        self._map[: _LAYOUT.size] = _LAYOUT.pack(micros, time.monotonic())

    def now(self) -> datetime:
        """What it shows; UTC."""
        micros, set_at = _LAYOUT.unpack(self._map[: _LAYOUT.size])
        return _EPOCH + timedelta(microseconds=micros + int((time.monotonic() - set_at) * 1e6))
