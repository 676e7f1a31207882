"""What the runner decides on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.guard import BackstopEngaged, FlattenOrdered, TradingHalted, TradingResumed
from shared.schemas.market import Candle, EquityMarked, TradingHours
from shared.schemas.orders import (
    OrderApproved,
    OrderCancelled,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    VenueAccount,
)
from shared.schemas.values import Level
from shared.venues.port import Report
from shared.venues.statement import Statement

HEEDED: frozenset[type[Event]] = frozenset(
    {
        OrderApproved,
        OrderRefused,
        EquityMarked,
        TradingHalted,
        TradingResumed,
        FlattenOrdered,
        BackstopEngaged,
        OrderFilled,
        OrderCancelled,
        OrderRejected,
    }
)
"""The facts of the guard that the runner acts on; those on orders tell what the guard itself did at the venue."""


@dataclass(frozen=True, slots=True)
class SliceClosed:
    """The candles that closed together, and what the venue reported within them."""

    candles: Sequence[Candle]
    reports: Sequence[Report] = ()
    warmup: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """The venue's word on orders, outside a slice."""

    reports: Sequence[Report]


@dataclass(frozen=True, slots=True)
class GuardSpoke:
    """A fact of the guard, as stored."""

    event: Event


@dataclass(frozen=True, slots=True)
class KillHeard:
    """A kill on the CONTROL stream, heard by the runner itself, so that it needs no living guard to stop."""

    command: Command


@dataclass(frozen=True, slots=True)
class GuardSilent:
    """The guard has not been heard for too long: it, or the bus, is gone."""

    missing: Literal["guard", "bus"]
    reason: str


@dataclass(frozen=True, slots=True)
class GuardHeard:
    """The guard, that had been silent for too long, is heard again."""


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The session is to end in good order."""

    reason: str


@dataclass(frozen=True, slots=True)
class AccountObserved:
    """What the venue showed when it was asked after a kill."""

    account: VenueAccount


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The `attempt`-th go at a call to the venue failed; the next is in `wait` seconds, None where there is none."""

    call: str
    reason: str
    attempt: int
    wait: float | None


@dataclass(frozen=True, slots=True)
class CallSucceeded:
    """A call to the venue that had failed before succeeded at the `attempt`-th go."""

    call: str
    attempt: int


@dataclass(frozen=True, slots=True)
class LinkLost:
    """A stream of the venue's is gone."""

    peer: str
    reason: str


@dataclass(frozen=True, slots=True)
class LinkRestored:
    """A stream of the venue's that was lost is back."""

    peer: str


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and what was seen: a flaw that does not forbid trading passes as a warning."""

    name: str
    observed: str
    status: Literal["pass", "fail"] = "pass"
    level: Level = "info"


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """What has become of the venue `peer` since it was last looked at: `lost` says why it can't be reached."""

    peer: str
    lost: str | None = None
    restored: bool = False
    checks: Sequence[Check] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """A statement of the account, after all that it holds of our orders was heard."""

    statement: Statement


@dataclass(frozen=True, slots=True)
class HoursTurned:
    """The exchange has opened, is about to close, or has closed."""

    hours: TradingHours


VenueTrouble = CallFailed | CallSucceeded | LinkLost | LinkRestored | HealthChanged | Examined | HoursTurned
GuardsVoice = GuardSilent | GuardHeard
Input = GuardsVoice | SliceClosed | Reported | GuardSpoke | KillHeard | StopRequested | AccountObserved | VenueTrouble
