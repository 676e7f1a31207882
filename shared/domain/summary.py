"""A session in figures: the fold behind `summary.json`, the sessions table, the gauges and the report's headline."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from shared.domain import portfolio as books
from shared.domain import troubles
from shared.domain.portfolio import Portfolio, RoundTrip
from shared.domain.replacing import often_replaced
from shared.domain.troubles import NONE, Troubles
from shared.schemas.envelope import Event
from shared.schemas.guard import BackstopEngaged
from shared.schemas.lifecycle import Heartbeat, PhaseEnd, RunnerEnd, RunnerStart, SessionStart
from shared.schemas.market import ShadowAccount, ShadowMarked
from shared.schemas.orders import DustLeft, Fill, OrderFilled
from shared.schemas.session import SessionConfig
from shared.schemas.values import iso

PHASES_TOTAL = 3
_PERCENT_STEP = Decimal("1e-8")
_HUNDRED = Decimal(100)


@often_replaced
class Summary(NamedTuple):
    """What is known of a session. `portfolio` and `start` are None until its `runner_start`.

    `shadow` is its shadow's newest account, None without one; `troubles` are those with the venue.

    `trades` are the executions told since the guard has come in: from then on it and the runner may tell the same one.
    `started_at`, `ended_at` and `last_updated` go by the wall clock, `market_time` by the market's.
    """

    session_id: str
    start: SessionStart | None = None
    portfolio: Portfolio | None = None
    status: str = "running"
    phases: frozenset[str] = frozenset()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    market_time: datetime | None = None
    last_updated: datetime | None = None
    shadow: ShadowAccount | None = None
    troubles: Troubles = NONE
    trades: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """The session's name as its file gives it; empty before it has started."""
        return self.start.config.name if self.start else ""


def initial(session_id: str) -> Summary:
    """A session of which nothing has been told yet."""
    return Summary(session_id)


def evolve(summary: Summary, event: Event) -> Summary:
    """The summary after a fact of the session."""
    return step(summary, event)[0]


def step(summary: Summary, event: Event) -> tuple[Summary, RoundTrip | None]:
    """The summary after a fact, and the round trip that the fact completed, if any. No fold reads a heartbeat."""
    kind = type(event)
    if kind is Heartbeat or tells_again(summary, event):
        return summary, None
    account, trip = summary.portfolio, None
    if kind is OrderFilled and account:
        account, trip = books.with_fill(account, event.order, event.market_time)
        summary = _noted(summary, event.order)
    elif kind is DustLeft and account:
        account, trip = books.with_dust(account, (event.details.strategy, event.details.symbol), event.market_time)
    elif kind in _TURNING:
        summary = _turned(summary, event)
        account = summary.portfolio
    elif account:
        account = books.evolve(account, event)
    after = summary._replace(
        portfolio=account,
        market_time=event.market_time if event.service == "runner" else summary.market_time,
        last_updated=_later(summary.last_updated, event.timestamp),
        troubles=troubles.evolve(summary.troubles, event),
    )
    return after, trip


def tells_again(summary: Summary, event: Event) -> bool:
    """Whether the fact is an execution that the guard or the runner has told before."""
    return type(event) is OrderFilled and _execution(event.order) in (summary.trades or ())


def _noted(summary: Summary, fill: Fill) -> Summary:
    if summary.trades is None:
        return summary
    return summary._replace(trades=summary.trades | {_execution(fill)})


def _execution(fill: Fill) -> str:
    return f"{fill.symbol}:{fill.trade_id}"


def _later(known: datetime | None, told: datetime) -> datetime:
    return told if known is None or told > known else known


def _turned(summary: Summary, event: Event) -> Summary:
    """The summary after a fact that starts or ends the session or one of its phases."""
    if isinstance(event, RunnerStart):
        config = event.details.config
        portfolio = books.opened(config.initial_capital, config.quote)
        return summary._replace(start=event.details, portfolio=portfolio, started_at=event.timestamp)
    if isinstance(event, PhaseEnd) and event.status == "success":
        return summary._replace(phases=summary.phases | {event.phase})
    if isinstance(event, RunnerEnd):
        return summary._replace(status=event.status, ended_at=event.timestamp)
    if isinstance(event, ShadowMarked):
        return summary._replace(shadow=event.details)
    if isinstance(event, BackstopEngaged):
        return summary._replace(trades=frozenset())
    return summary


_TURNING = frozenset({RunnerStart, PhaseEnd, RunnerEnd, ShadowMarked, BackstopEngaged})
"""Looked for by their very type: `isinstance` takes long where it is not so, which is nearly always."""


def percent(share: Decimal) -> Decimal:
    """A share in per cent, to eight digits: 0.01 becomes 1."""
    return (share * _HUNDRED).quantize(_PERCENT_STEP).normalize() + Decimal(0)


def return_percent(portfolio: Portfolio) -> Decimal:
    """The return on the initial capital, in per cent."""
    return _return(portfolio.equity, portfolio.initial_capital)


def _return(equity: Decimal, capital: Decimal) -> Decimal:
    return percent((equity - capital) / capital)


def runtime_seconds(summary: Summary) -> Decimal:
    """Wall-clock seconds from the start to the end, or to the last fact while the session runs."""
    if summary.started_at is None or summary.last_updated is None:
        return Decimal(0)
    elapsed = max((summary.ended_at or summary.last_updated) - summary.started_at, timedelta())
    return Decimal(elapsed.days * 86_400 + elapsed.seconds) + Decimal(elapsed.microseconds) / 1_000_000


def as_document(summary: Summary) -> dict[str, Any]:
    """The fields of `summary.json`, money and per cents as Decimal; ValueError before the session has started."""
    if summary.start is None or summary.portfolio is None:
        raise ValueError(f"session {summary.session_id} has not started: there is no runner_start among its events")
    account, config = summary.portfolio, summary.start.config
    return {
        "session_id": summary.session_id,
        "session_start": summary.started_at and iso(summary.started_at),
        "session_end": summary.ended_at and iso(summary.ended_at),
        "status": summary.status,
        "phases_completed": len(summary.phases),
        "phases_total": PHASES_TOTAL,
        "initial_capital": account.initial_capital,
        "current_equity": account.equity,
        "totals": {"trades": account.trades, "wins": account.wins, "losses": account.losses},
        "roi": return_percent(account),
        "max_drawdown": percent(account.max_drawdown),
        "runtime_secs": runtime_seconds(summary),
        "last_updated": summary.last_updated and iso(summary.last_updated),
        "mode": summary.start.mode,
        "strategies": [entry.label or entry.name for entry in config.strategies],
        "symbols": list(config.symbols),
        "fees": account.fees,
        "name": config.name,
        "quote": config.quote,
        **_shadow(summary, config),
        **({"troubles": troubles.as_document(summary.troubles)} if summary.troubles else {}),
    }


def _shadow(summary: Summary, config: SessionConfig) -> dict[str, Any]:
    """What the shadow came to, in the same fields as the session; nothing where there is none."""
    account, other = summary.shadow, config.shadowed()
    if account is None or other is None:
        return {}
    figures = {
        "strategies": [entry.label or entry.name for entry in other.strategies],
        "current_equity": account.equity,
        "totals": {"trades": account.trades, "wins": account.wins, "losses": account.losses},
        "roi": _return(account.equity, config.initial_capital),
        "max_drawdown": percent(account.max_drawdown),
        "fees": account.fees,
    }
    return {"shadow": figures}
