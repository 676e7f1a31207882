"""What the guard knows of one session."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from services.risk.core.book import Book
from services.risk.limits.standing import Standing
from shared.domain.portfolio import ZERO, Portfolio
from shared.domain.replacing import often_replaced
from shared.schemas.guard import Halt
from shared.schemas.session import SessionConfig
from shared.schemas.values import Mode

NOT_ENABLED = Halt(kind="limit", reason="the guard has not let this session trade yet")
"""How every session begins."""
GOING_LIVE = Halt(
    kind="pause", reason="real money is not traded before an operator resumes with the second factor", operator="guard"
)
"""How a session goes on that trades with real money."""
MINUTE = timedelta(minutes=1)
UNKNOWN_TIME = datetime(1, 1, 1, tzinfo=UTC)


@often_replaced
class Watch(NamedTuple):
    """The marks that losses are measured from, and what has been told already.

    `equity` is of the last mark, `day_base` of the day's start, `peak` the highest; an operator's resume sets all
    three to the equity at that moment, so a limit that tripped is measured anew. `day_ends` is the next midnight.
    `tripped` names the limits told since then.
    """

    equity: Decimal = ZERO
    day_base: Decimal = ZERO
    peak: Decimal = ZERO
    day_ends: datetime = UNKNOWN_TIME
    api_errors: int = 0
    tripped: frozenset[str] = frozenset()

    def standing(self, equity: Decimal) -> Standing:
        """The account at `equity` against these marks."""
        return Standing(equity, self.day_base, self.peak, self.api_errors)


@often_replaced
class AtVenue(NamedTuple):
    """The session's account at a real venue, and what a kill has come to there.

    `before` is what the account held of each symbol when the session began. `kill` is the fact that told the kill in
    force; `confirmed` once the venue has shown its effect, `engaged` where the guard acts itself.
    `placed` counts the guard's own orders.
    """

    mode: Mode = "dry_run"
    before: Mapping[str, Decimal] = MappingProxyType({})
    kill: str | None = None
    engaged: bool = False
    confirmed: bool = False
    placed: int = 0


@often_replaced
class Conditions(NamedTuple):
    """What trading depends on, as the runner's facts tell it.

    `clock` is how far off it was seen, None while it is right. `unknown` is since when each order's fate has not been
    known, `lost` the connections that are gone.
    """

    clock: str | None = None
    unknown: Mapping[str, datetime] = MappingProxyType({})
    lost: frozenset[str] = frozenset()


@often_replaced
class Guard(NamedTuple):
    """One session under guard. `config` and `started_by` are None until `runner_start`, `halt` while trading is free.

    `closed_at` is when each symbol's last candle closed; `approvals` are the market times of the last minute's orders.
    Commands up to number `cleared` in CONTROL halt no more.
    """

    session_id: str
    config: SessionConfig | None
    portfolio: Portfolio
    closed_at: Mapping[str, datetime] = MappingProxyType({})
    market_time: datetime = UNKNOWN_TIME
    halt: Halt | None = NOT_ENABLED
    book: Book = Book()
    watch: Watch = Watch()
    approvals: tuple[datetime, ...] = ()
    started_by: str | None = None
    cleared: int = 0
    venue: AtVenue = AtVenue()
    conditions: Conditions = Conditions()

    @property
    def is_real(self) -> bool:
        """Whether its orders go to a real venue's account, be it for tests or with real money."""
        return self.config is not None and self.config.is_live and self.venue.mode != "dry_run"
