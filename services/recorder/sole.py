"""Only one process at a time writes a sessions folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.runtime.errors import FatalError

LOCK_FILE = ".lock"


@contextmanager
def sole_writer(root: Path) -> Iterator[None]:
    """Hold the sessions folder `root`; FatalError when another process does. The system lets go when we die."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / LOCK_FILE).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FatalError(f"another recorder writes to {root}; stop it first") from None
        yield
