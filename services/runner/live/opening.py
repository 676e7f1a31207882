"""From a session's configuration and the settings to its live market and its account."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Self

import structlog

from services.runner.core.inputs import CallFailed, VenueTrouble
from services.runner.core.plan import Plan, plan
from services.runner.feeds.port import FeedDescription, Slice
from services.runner.live.calling import Calls, may_answer
from services.runner.live.slices import closed_by, history
from services.runner.preflight import session as of_session
from services.runner.preflight import stack as of_stack
from services.runner.preflight.asking import examine_account, examine_market
from services.runner.preflight.finding import Finding, failures, refusal
from services.runner.preflight.risk import risk
from shared.runtime import clock
from shared.runtime.errors import SettingsError
from shared.runtime.settings import Settings
from shared.schemas.market import timeframe_of
from shared.schemas.session import SessionConfig
from shared.schemas.values import STACK, Mode
from shared.venues.connecting import CONNECTORS, Keys
from shared.venues.live import Account, Market
from shared.venues.trouble import VenueError

OPENING_SECONDS = 60.0
"""So long a venue that does not answer is asked before the session is given up; whoever restarts us goes on asking."""
LOOKS = 5
"""So often the preflight is made where nothing but a missing answer is in the way."""
_log = structlog.get_logger("market")
_FURTHER_BACK = (1, 8, 64)
"""A market that is closed at night and at weekends has its last bars further back than their lengths add up to."""


@dataclass(frozen=True)
class Opened:
    """A live market that can be traded on: the session with the venue's rules, and the history it warms up on.

    `account` is None in a dry run, whose orders go to the paper venue. `before` is what the account holds of each
    symbol's asset, `balances` what of each asset that orders can move, `findings` what the preflight found.
    """

    config: SessionConfig
    market: Market
    account: Account | None
    before: Mapping[str, Decimal]
    balances: Mapping[str, Decimal]
    warmup: tuple[Slice, ...]
    start: datetime
    findings: tuple[Finding, ...] = ()

    @property
    def description(self) -> FeedDescription:
        """The market as a feed without end."""
        return FeedDescription(self.market.name, self.config.symbols, self.config.timeframe, None, ())


class LiveMarket:
    """Opens a live session's connections, and closes them in the end."""

    def __init__(self, config: SessionConfig, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._open = AsyncExitStack()
        self._market: Market | None = None
        self._account: Account | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def examined(self, *, begins: bool = True) -> Sequence[Finding]:
        """Everything that can be known before the session: what the settings say, then what the venue answers.

        One that is under way already, that `begins` no more, holds some of its capital in positions.
        """
        prepared, mode = plan(STACK, self._config), self._settings.mode
        wrong = obstacle(self._config, mode)
        wanted = _keys(self._config, self._settings)
        found = [of_session.mode(mode, self._config.venue, wrong), of_session.keys(wanted)]
        connector = CONNECTORS.get(self._config.feed.kind)
        if connector and (connector.public or not failures(found)):
            self._connect()
            found += await self._asked(prepared, begins)
        return (*found, *risk(prepared, mode), of_session.warmup(prepared))

    def _connect(self) -> None:
        if self._market is not None:
            return
        connector, keys = CONNECTORS[self._config.feed.kind], _keys(self._config, self._settings)
        self._market = connector.market(self._config, self._settings)
        self._open.push_async_callback(self._market.close)
        if self._settings.mode != "dry_run" and keys and keys.present:
            self._account = connector.account(self._settings)
            self._open.push_async_callback(self._account.close)

    async def _asked(self, prepared: Plan, begins: bool) -> Sequence[Finding]:
        assert self._market is not None
        found, listings = await examine_market(prepared, self._market)
        if self._account is None or listings is None:
            return found
        return (*found, *await examine_account(prepared, self._account, listings, begins))

    async def opened(self) -> Opened:
        """Ask the venue for its rules and its history, then for all that the preflight judges.

        SettingsError where the session can't begin; a venue that does not answer is asked for a minute.
        """
        _check(self._config, self._settings)
        self._connect()
        try:
            calls = Calls(_log_trouble)
            opened = await calls.until("open the session", self._opened, may_answer, within=OPENING_SECONDS)
        except VenueError as error:
            raise SettingsError(_refusal(self._config.name, error, await self.examined())) from error
        return replace(opened, findings=tuple(await self._judged()))

    async def _judged(self) -> Sequence[Finding]:
        """The preflight; what failed for want of an answer is asked again."""
        for _ in range(LOOKS):
            findings = (*await self.examined(), of_stack.room(self._settings.data_dir))
            waits = [finding.wait for finding in failures(findings)]
            patient = [wait for wait in waits if wait is not None]
            if not waits or len(patient) < len(waits):
                break
            await asyncio.sleep(max(patient))
        return findings

    async def _opened(self) -> Opened:
        config, market, account = self._config, self._market, self._account
        assert market is not None
        if account is not None:
            await account.open()
        start = closed_by(clock.now(), timeframe_of(config.timeframe))
        config = config.model_copy(update={"instruments": dict(await market.instruments())})
        warmup = await _warmup(market, config, start)
        before = await account.holdings(config.symbols) if account else {}
        balances = await account.balances(config.symbols) if account else {}
        return Opened(config, market, account, before, balances, warmup, start)


def _refusal(name: str, error: VenueError, findings: Sequence[Finding]) -> str:
    return refusal(name, findings) if failures(findings) else f"{name} can't begin: {error}"


def _log_trouble(trouble: VenueTrouble) -> None:
    if isinstance(trouble, CallFailed):
        _log.warning("the venue does not answer", call=trouble.call, reason=trouble.reason, attempt=trouble.attempt)


async def _warmup(market: Market, config: SessionConfig, end: datetime) -> tuple[Slice, ...]:
    """The last slices that closed by `end`."""
    bars = config.warmup_bars
    if not bars:
        return ()
    found: Sequence[Slice] = ()
    for times in _FURTHER_BACK:
        start = end - times * bars * timeframe_of(config.timeframe)
        found = await history(market, config.symbols, start, end)
        if len(found) >= bars:
            break
    return tuple(found[-bars:])


def _check(config: SessionConfig, settings: Settings) -> None:
    """SettingsError, before anything is connected, where the settings alone forbid the session."""
    wrong = obstacle(config, settings.mode)
    told = (of_session.mode(settings.mode, config.venue, wrong), of_session.keys(_keys(config, settings)))
    if failures(told):
        raise SettingsError(refusal(config.name, told))


def obstacle(config: SessionConfig, mode: Mode) -> str | None:
    """Why the session's market can't be traded in this mode, or None."""
    feed = config.feed.kind
    if feed not in CONNECTORS:
        return f"feed {feed!r} is no live market; known are {', '.join(CONNECTORS)}"
    if config.shadow is not None:
        return "shadow: a session on a live market can't have one yet; take the table out"
    if mode != "dry_run" and config.venue != feed:
        return f"venue {config.venue!r} with feed {feed!r}: orders go where the prices come from"
    return CONNECTORS[feed].obstacle(config)


def _keys(config: SessionConfig, settings: Settings) -> Keys | None:
    connector = CONNECTORS.get(config.feed.kind)
    return connector.keys(settings) if connector else None
