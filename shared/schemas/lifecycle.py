"""Facts about sessions, phases and the services themselves; the names are the predecessor's."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainSerializer

from shared.schemas.envelope import Event, Value
from shared.schemas.orders import Balance, Holding
from shared.schemas.session import SessionConfig
from shared.schemas.values import Instant, Mode, Money, Phase, Ratio

ANY_SERVICE = frozenset({"runner", "risk", "notifier", "recorder"})
SessionStatus = Literal["running", "success", "failed", "killed"]


def _whole(config: SessionConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


WholeConfig = Annotated[SessionConfig, PlainSerializer(_whole, when_used="json")]
"""Written with its absent settings as null: a limit that was turned off must not come back as its default."""


UNKNOWN_CORE = "unknown"
"""The digest of code that nobody noted."""


def _is_empty(value: tuple[Any, ...]) -> bool:
    return not value


class SessionStart(Value):
    """What a session was started with: everything that its decisions depend on.

    `core_digest` is a fingerprint of the code that decides, UNKNOWN_CORE for sessions from before it was told.
    `holdings_before` is what the venue's account held already of the symbols: it is none of the session's business;
    `balances_before` the same by asset, for statements to be held against.
    """

    mode: Mode
    config: WholeConfig
    config_digest: str
    core_digest: str
    market_start: Instant
    holdings_before: tuple[Holding, ...] = Field(default=(), exclude_if=_is_empty)
    balances_before: tuple[Balance, ...] = Field(default=(), exclude_if=_is_empty)


class RunnerStart(Event):
    """A session has begun."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["runner_start"] = "runner_start"
    details: SessionStart
    version: Literal[2] = 2  # type: ignore[assignment]  # later versions of a type replace the envelope's first


class FinalMetrics(Value):
    """A session's account at its end."""

    equity: Money
    pnl: Money
    fees: Money
    max_drawdown: Ratio
    trades: int
    wins: int
    losses: int
    win_rate: float


class SessionEnd(Value):
    """Why a session ended and what it still holds."""

    reason: str
    open_positions: int


class RunnerEnd(Event):
    """A session has ended with `status` success, failed or killed."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["runner_end"] = "runner_end"
    status: Literal["success", "failed", "killed"]
    metrics: FinalMetrics
    details: SessionEnd


class PhaseStart(Event):
    """A phase has begun."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "recorder"})
    type: Literal["phase_start"] = "phase_start"
    phase: Phase
    status: Literal["started"] = "started"


class PhaseEnd(Event):
    """A phase has ended."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "recorder"})
    type: Literal["phase_end"] = "phase_end"
    phase: Phase
    status: Literal["success", "failed"]


class CheckpointDetails(Value):
    """What was checked and what was seen."""

    name: str
    observed: str


class Checkpoint(Event):
    """A check within a phase has passed or failed."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"risk", "notifier", "recorder"})
    type: Literal["checkpoint"] = "checkpoint"
    phase: Phase
    status: Literal["pass", "fail"]
    details: CheckpointDetails


class HeartbeatMetrics(Value):
    """How a service is: only the runner has an account to tell of.

    Only the guard tells an epoch (see `Approval`), and whether critical commands need a `second_factor` of it.
    """

    uptime_seconds: float
    events_published: int
    events_consumed: int
    equity: Money | None = None
    pnl: Money | None = None
    trades: int | None = None
    wins: int | None = None
    losses: int | None = None
    win_rate: float | None = None
    epoch: int | None = None
    second_factor: bool | None = None


class Heartbeat(Event):
    """The service is alive; told every few seconds of wall time and read by no fold that decides on orders."""

    WRITERS: ClassVar[frozenset[str]] = ANY_SERVICE
    READERS: ClassVar[frozenset[str]] = frozenset({"notifier", "recorder"})
    type: Literal["heartbeat"] = "heartbeat"
    level: Literal["debug"] = "debug"
    metrics: HeartbeatMetrics


class ErrorDetails(Value):
    """Where it happened; `api` marks a failed call to a venue, which counts against `max_api_errors`."""

    where: str
    api: bool = False


class ErrorRaised(Event):
    """Something failed; `error` says what and what to do."""

    WRITERS: ClassVar[frozenset[str]] = ANY_SERVICE
    READERS: ClassVar[frozenset[str]] = frozenset({"risk", "notifier", "recorder"})
    type: Literal["error"] = "error"
    level: Literal["warning", "error"] = "error"
    error: str
    details: ErrorDetails


class Repair(Value):
    """A rule by which bad input was repaired, where, and how often."""

    rule: str
    source: str
    line: int | None = None
    count: int = Field(default=1, ge=1)
    before: str | None = None
    after: str | None = None


TRIED_AGAIN = "tried again"
"""The rule by which a call to a venue that failed is mended."""


class AutocorrectAttempt(Event):
    """Input was repaired by a stated rule, or a call to the venue that failed is tried again; `started` until then."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"notifier", "recorder"})
    type: Literal["autocorrect_attempt"] = "autocorrect_attempt"
    level: Literal["warning"] = "warning"
    status: Literal["started", "success", "failed"]
    details: Repair


class FileWritten(Value):
    """A file below DATA_DIR."""

    path: str


class SummaryUpdated(Event):
    """The recorder has written a session's `summary.json`."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"recorder"})
    READERS: ClassVar[frozenset[str]] = frozenset({"recorder"})
    type: Literal["summary_updated"] = "summary_updated"
    level: Literal["debug", "info"] = "info"
    details: FileWritten


class ReportReady(Event):
    """The recorder has written a session's report."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"recorder"})
    READERS: ClassVar[frozenset[str]] = frozenset({"notifier", "recorder"})
    type: Literal["report_ready"] = "report_ready"
    details: FileWritten


class Connection(Value):
    """The other end, by name and never with credentials."""

    peer: str


class ConnectionLost(Event):
    """A connection that trading depends on is gone."""

    WRITERS: ClassVar[frozenset[str]] = ANY_SERVICE
    READERS: ClassVar[frozenset[str]] = frozenset({"risk", "notifier", "recorder"})
    type: Literal["connection_lost"] = "connection_lost"
    level: Literal["warning"] = "warning"
    details: Connection


class ConnectionRestored(Event):
    """A connection that had been lost is back."""

    WRITERS: ClassVar[frozenset[str]] = ANY_SERVICE
    READERS: ClassVar[frozenset[str]] = frozenset({"risk", "notifier", "recorder"})
    type: Literal["connection_restored"] = "connection_restored"
    details: Connection


class Delivery(Value):
    """A message to people: by which channel, about which fact, after how many attempts."""

    channel: str
    about: str
    event_type: str
    text: str
    attempts: int = Field(default=1, ge=1)


class AlertSent(Event):
    """A message was delivered."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"notifier"})
    READERS: ClassVar[frozenset[str]] = frozenset({"notifier", "recorder"})
    type: Literal["alert_sent"] = "alert_sent"
    details: Delivery


class AlertFailed(Event):
    """A message could not be delivered; `error` says why."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"notifier"})
    READERS: ClassVar[frozenset[str]] = frozenset({"notifier", "recorder"})
    type: Literal["alert_failed"] = "alert_failed"
    level: Literal["error"] = "error"
    error: str
    details: Delivery
