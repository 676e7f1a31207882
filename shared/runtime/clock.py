"""The only place that reads a clock or makes an id that follows from nothing."""

import time
from datetime import UTC, datetime
from uuid import uuid4


def now() -> datetime:
    """The wall clock's reading in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never steps; only differences mean something."""
    return time.monotonic()


def new_id() -> str:
    """A fresh UUID (version 4) in its canonical form."""
    return str(uuid4())
