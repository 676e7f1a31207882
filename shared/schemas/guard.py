"""Facts of the guard about trading as a whole: halts, breaches and the operator's commands."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.schemas.envelope import Event, Value
from shared.schemas.orders import VenueAccount


def _is_empty(value: tuple[str, ...]) -> bool:
    return not value


HaltKind = Literal["kill", "pause", "limit"]


class Halt(Value):
    """Why trading stands still, who wanted it, and how far.

    A `kill` cancels open orders and flattens where the session says so; `pause` and `limit` refuse new risk only.
    `control_sequence` is the command's number in the CONTROL stream, None when no command caused it. `conditions` names
    what trading depends on and is not given, where that alone is the reason: it may be lifted once all is restored.
    """

    kind: HaltKind
    reason: str
    operator: str | None = None
    scope: Literal["session", "stack"] = "session"
    control_sequence: int | None = None
    conditions: tuple[str, ...] = Field(default=(), exclude_if=_is_empty)


class TradingHalted(Event):
    """No new risk from here on, latched until `trading_resumed`."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk", "runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["trading_halted"] = "trading_halted"
    level: Literal["warning", "error"] = "warning"
    details: Halt


class Resumption(Value):
    """Who let trading go on and why. `control_sequence` clears every command up to that number.

    `restored` names the conditions that are given again, where the guard itself has lifted a halt for want of them.
    """

    reason: str
    operator: str
    scope: Literal["session", "stack"] = "session"
    control_sequence: int | None = None
    restored: tuple[str, ...] = Field(default=(), exclude_if=_is_empty)


class TradingResumed(Event):
    """The guard's word that new risk may be taken; a session's first word from the guard, too."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["trading_resumed"] = "trading_resumed"
    details: Resumption


class Breach(Value):
    """A limit of the session file, its bound and what was observed, both as the limit is written."""

    limit: str
    bound: str
    observed: str


class LimitBreached(Event):
    """A limit that is watched continuously was crossed."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"notifier", "recorder"})
    type: Literal["limit_breached"] = "limit_breached"
    level: Literal["warning", "error"] = "error"
    details: Breach


class ChangedLimit(Value):
    """A limit of the session file as it was and as it is from here on, both as the file writes them, and by whom."""

    limit: str
    before: str
    after: str
    reason: str
    operator: str
    control_sequence: int


class LimitChanged(Event):
    """A limit was lowered by an operator, or raised by one with the second factor."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"risk", "notifier", "recorder"})
    type: Literal["limit_changed"] = "limit_changed"
    level: Literal["warning"] = "warning"
    details: ChangedLimit


class RefusedCommand(Value):
    """A command that changed nothing, and why."""

    command: str
    reason: str
    operator: str | None = None
    control_sequence: int


class CommandRefused(Event):
    """An operator's command did not validate and was not carried out."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk", "runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"notifier", "recorder"})
    type: Literal["command_refused"] = "command_refused"
    level: Literal["warning"] = "warning"
    details: RefusedCommand


class FlattenOrder(Value):
    """Who wants every position closed, and why."""

    reason: str
    operator: str
    control_sequence: int | None = None


class FlattenOrdered(Event):
    """The guard accepted an operator's command to close every position; trading goes on afterwards."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "notifier", "recorder"})
    type: Literal["flatten_ordered"] = "flatten_ordered"
    level: Literal["warning"] = "warning"
    details: FlattenOrder


class Intervention(Value):
    """Why the guard acts at the venue itself, and how long the runner's confirmation was awaited."""

    reason: str
    waited_seconds: float


class BackstopEngaged(Event):
    """The guard cancels and flattens at the venue itself; the runner sends nothing before `trading_resumed`."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["backstop_engaged"] = "backstop_engaged"
    level: Literal["error"] = "error"
    details: Intervention


class KillConfirmed(Event):
    """What the venue shows after a kill, by the guard: `success` when nothing is open any more, else `failed`."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"risk", "notifier", "recorder"})
    type: Literal["kill_confirmed"] = "kill_confirmed"
    level: Literal["warning", "error"] = "warning"
    status: Literal["success", "failed"]
    details: VenueAccount
