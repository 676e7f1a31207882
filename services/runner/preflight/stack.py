"""Whether what a session leans on is there: the guard, its key, and room for what is written."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from services.runner.preflight.finding import Finding, failed, passed, warned
from shared.runtime.errors import LeitstandError

FRESH = timedelta(seconds=20)
"""A guard that is well tells a heartbeat every few seconds."""
_GIGABYTE = 1_000_000_000
_LITTLE, _TOO_LITTLE = 5 * _GIGABYTE, _GIGABYTE // 2


def guard(heard: datetime | None, now: datetime, *, sessions: bool) -> Finding:
    """Whether the guard, without whose word no order leaves, was `heard` of lately.

    It is silent while no session runs; `sessions` tells whether one does.
    """
    advice = "start it: python -m services.risk"
    if heard is None:
        return failed("guard", "never heard of", advice)
    age = max(now - heard, timedelta(0))
    told = f"last heard {age.total_seconds():,.0f} s ago"
    if age <= FRESH:
        return passed("guard", told)
    if sessions:
        return failed("guard", f"{told}, and a session runs", advice)
    return warned("guard", f"{told}; it is silent while no session runs", f"see that it runs, or {advice}")


def guards_key(read: Callable[[], object]) -> Finding:
    """Whether the guard's public key, by which its approvals are known, can be `read`."""
    advice = "start the guard, which writes it, or set RISK_PUBLIC_KEY"
    try:
        read()
    except OSError as error:
        return failed("guard's key", f"{error.filename}: {error.strerror}", advice)
    except LeitstandError as error:
        return failed("guard's key", str(error), advice)
    return passed("guard's key", "its public key is there")


def room(folder: Path) -> Finding:
    """Whether the disk that `folder` is on, or will be made on, has room."""
    there = next(found for found in (folder, *folder.resolve().parents) if found.exists())
    return disk(str(folder), shutil.disk_usage(there).free)


def disk(folder: str, free: int) -> Finding:
    """Whether `free` bytes in `folder` are room enough."""
    told = f"{free / _GIGABYTE:,.1f} GB free in {folder}"
    advice = "make room; a full disk ends the recording, and the bus with it"
    if free < _TOO_LITTLE:
        return failed("disk", told, advice)
    return warned("disk", told, advice) if free < _LITTLE else passed("disk", told)
