"""The trouble that a test plans for a fake venue, and the seeded chance by which it strikes.

A server asks `draw` at each place where trouble could come, naming the call and the faults that make sense there.
Calls are named by what goes over the wire: "POST /api/v3/order" for a request, "stream executionReport" for a message.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random


class Fault(StrEnum):
    """What goes wrong. "Executed" means that the venue has done what it was asked for."""

    REQUEST_LOST = "request_lost"
    """The connection is cut, nothing was executed."""
    ANSWER_LOST = "answer_lost"
    """Executed, and the connection is cut without an answer."""
    ANSWER_LATE = "answer_late"
    """Executed, and answered only after `Faults.late_seconds`."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429 with Retry-After."""
    BANNED = "banned"
    """418 with Retry-After, where the venue knows it."""
    SERVER_ERROR = "server_error"
    """5xx, not executed."""
    SERVER_ERROR_EXECUTED = "server_error_executed"
    """5xx although it was executed."""
    CLOCK = "clock"
    """The venue finds the caller's clock wrong."""
    STALE_READ = "stale_read"
    """A read is answered with the state before the last change."""
    DUPLICATED = "duplicated"
    """A stream message comes twice."""
    REORDERED = "reordered"
    """A stream message comes after the one that follows it."""
    CUT = "cut"
    """A stream's connection is cut; what happens meanwhile is never replayed."""
    MUTE = "mute"
    """A stream stays open and says nothing any more."""
    PARTIAL = "partial"
    """An order fills in several pieces."""
    UNKNOWN_FIELDS = "unknown_fields"
    """An answer holds fields, and a list or an enumeration values, that no document names."""
    MISSING_FIELDS = "missing_fields"
    """An answer lacks the fields that it may lack."""


@dataclass
class _Planned:
    fault: Fault
    call: str
    times: int


@dataclass(frozen=True)
class _Rate:
    fault: Fault
    share: float
    call: str


class Faults:
    """Planned faults strike first, each `times` times and in the order of planning; then the rates, by the seed.

    `drawn` counts what has struck, `late_seconds` and `retry_after` are what the faults that need a time use.
    """

    def __init__(self, seed: int = 0, *, late_seconds: float = 0.3, retry_after: int = 1) -> None:
        self.late_seconds = late_seconds
        self.retry_after = retry_after
        self.drawn: Counter[Fault] = Counter()
        self._random = Random(seed)
        self._planned: list[_Planned] = []
        self._rates: list[_Rate] = []

    def next(self, fault: Fault, call: str = "*", times: int = 1) -> None:
        """Plan `fault` for the next `times` calls whose name matches the pattern `call` (as file names match)."""
        self._planned.append(_Planned(fault, call, times))

    def rate(self, fault: Fault, share: float, call: str = "*") -> None:
        """From now on `fault` strikes that share (0 to 1) of the calls whose name matches the pattern."""
        self._rates.append(_Rate(fault, share, call))

    def clear(self) -> None:
        """No more trouble; what has been drawn stays counted."""
        self._planned.clear()
        self._rates.clear()

    def draw(self, call: str, *candidates: Fault) -> Fault | None:
        """The fault among the candidates that strikes this call; None where all goes well."""
        fault = self._draw_planned(call, candidates) or self._draw_by_rate(call, candidates)
        if fault is not None:
            self.drawn[fault] += 1
        return fault

    def _draw_planned(self, call: str, candidates: Iterable[Fault]) -> Fault | None:
        for planned in self._planned:
            if planned.fault in candidates and fnmatchcase(call, planned.call):
                planned.times -= 1
                if planned.times <= 0:
                    self._planned.remove(planned)
                return planned.fault
        return None

    def _draw_by_rate(self, call: str, candidates: Iterable[Fault]) -> Fault | None:
        for rate in self._rates:
            if rate.fault in candidates and fnmatchcase(call, rate.call) and self._random.random() < rate.share:
                return rate.fault
        return None
