"""The facts with which a session opens, passes from phase to phase, and ends."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.runner.core.health import tell_checks
from services.runner.core.inputs import Check
from services.runner.core.state import State
from services.runner.core.telling import Telling
from services.runner.feeds.port import FeedDescription
from shared.domain import portfolio
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause
from shared.schemas.lifecycle import (
    UNKNOWN_CORE,
    AutocorrectAttempt,
    Checkpoint,
    CheckpointDetails,
    ErrorDetails,
    ErrorRaised,
    FinalMetrics,
    PhaseEnd,
    PhaseStart,
    RunnerEnd,
    RunnerStart,
    SessionEnd,
    SessionStart,
)
from shared.schemas.orders import Balance, Holding
from shared.schemas.values import Mode

Outcome = tuple[State, Sequence[Event]]


class Opened(NamedTuple):
    """What a session opens with. `core_digest` is the fingerprint of the code that decides."""

    mode: Mode
    feed: FeedDescription
    market_start: datetime
    core_digest: str = UNKNOWN_CORE
    holdings_before: Sequence[Holding] = ()
    balances_before: Sequence[Balance] = ()


_NO_FEED = FeedDescription("none", (), "", 0, ())


class Warmed(NamedTuple):
    """How much history the strategies have seen, and what the preflight saw."""

    slices: int
    preflight: Sequence[Check] = ()


class Ended(NamedTuple):
    """Why a session ends."""

    reason: str


def open_session(state: State, cause: Cause, opened: Opened) -> Outcome:
    """The session's start and its data phase, whose history was validated before."""
    telling = Telling(state, cause)
    _start(telling, opened)
    for repair in opened.feed.repairs:
        telling.tell(AutocorrectAttempt, status="success", details=repair, message=f"{repair.source}: {repair.rule}")
    length = "no end" if opened.feed.slices is None else f"{opened.feed.slices} bars"
    _check(
        telling, "history", f"{opened.feed.source}: {', '.join(opened.feed.symbols)}, {opened.feed.timeframe}, {length}"
    )
    telling.tell(PhaseEnd, status="success")
    telling.tell(PhaseStart, phase="strategy_phase")
    return telling.state, telling.told


def refuse_session(state: State, cause: Cause, mode: Mode, problem: str) -> Outcome:
    """A session whose data can't be traded on: it starts, says why, and has failed."""
    telling = Telling(state, cause)
    _start(telling, Opened(mode, _NO_FEED, cause.market_time))
    telling.tell(ErrorRaised, error=problem, details=ErrorDetails(where="data_phase"))
    telling.tell(PhaseEnd, status="failed", level="error")
    _end(telling, "failed", problem)
    return telling.state, telling.told


def _start(telling: Telling, opened: Opened) -> None:
    config = telling.state.plan.config
    start = SessionStart(
        mode=opened.mode,
        config=config,
        config_digest=config.digest(),
        core_digest=opened.core_digest,
        market_start=opened.market_start,
        holdings_before=tuple(opened.holdings_before),
        balances_before=tuple(opened.balances_before),
    )
    telling.tell(RunnerStart, details=start, message=f"session {config.name} starts, {opened.mode}")
    telling.tell(PhaseStart, phase="data_phase")


def _check(telling: Telling, name: str, observed: str) -> None:
    telling.tell(Checkpoint, status="pass", details=CheckpointDetails(name=name, observed=observed))


def finish_warmup(state: State, cause: Cause, warmed: Warmed) -> Outcome:
    """From the warm-up to trading. What the strategies still lack they gather while the session runs."""
    telling = Telling(state, cause)
    needed = state.plan.warmup_needed
    missing = max(needed - warmed.slices, 0)
    note = f"{warmed.slices} of {needed} bars" + (
        f"; {missing} more before the last strategy speaks" if missing else ""
    )
    _check(telling, "warm-up", note)
    telling.tell(PhaseEnd, status="success")
    telling.tell(PhaseStart, phase="api_phase")
    sleeves = ", ".join(f"{sleeve.label} {sleeve.allocation:.0%}" for sleeve in state.plan.sleeves)
    _check(telling, "preflight", f"venue {state.plan.config.venue}; {sleeves}")
    tell_checks(telling, warmed.preflight)
    return telling.state, telling.told


def close_session(state: State, cause: Cause, ended: Ended) -> Outcome:
    """The end of trading. A session that ends while killed says so in its status."""
    telling = Telling(state, cause)
    telling.tell(PhaseEnd, status="success")
    _end(telling, "killed" if state.killed else "success", ended.reason)
    return telling.state, telling.told


def fail_session(state: State, cause: Cause, problem: str) -> Outcome:
    """The end of a session that can't go on."""
    telling = Telling(state, cause)
    telling.tell(ErrorRaised, error=problem, details=ErrorDetails(where=state.phase or "start"))
    _end(telling, "failed", problem)
    return telling.state, telling.told


def _end(telling: Telling, status: str, reason: str) -> None:
    account = portfolio.metrics(telling.state.portfolio)
    final = account.model_dump(include=set(FinalMetrics.model_fields))
    telling.tell(
        RunnerEnd,
        status=status,
        level="error" if status == "failed" else "info",
        metrics=FinalMetrics(**final),
        details=SessionEnd(reason=reason, open_positions=len(telling.state.portfolio.positions)),
        message=f"session ended: {status}, {reason}",
    )
