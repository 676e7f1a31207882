"""From a session's configuration and the settings to its live market and its account."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from services.runner.feeds.port import FeedDescription, Slice
from services.runner.live.connecting import CONNECTORS
from services.runner.live.slices import closed_by, history
from shared.runtime import clock
from shared.runtime.errors import SettingsError
from shared.runtime.settings import Settings
from shared.schemas.market import timeframe_of
from shared.schemas.session import SessionConfig
from shared.venues.live import Account, Market
from shared.venues.trouble import VenueError

_FURTHER_BACK = (1, 8, 64)
"""A market that is closed at night and at weekends has its last bars further back than their lengths add up to."""


@dataclass(frozen=True)
class Opened:
    """A live market that can be traded on: the session with the venue's rules, and the history it warms up on.

    `account` is None in a dry run, whose orders go to the paper venue. `before` is what the account holds of each
    symbol's asset.
    """

    config: SessionConfig
    market: Market
    account: Account | None
    before: Mapping[str, Decimal]
    warmup: tuple[Slice, ...]
    start: datetime

    @property
    def description(self) -> FeedDescription:
        """The market as a feed without end."""
        return FeedDescription(self.market.name, self.config.symbols, self.config.timeframe, None, ())


class LiveMarket:
    """Opens a live session's connections, and closes them in the end."""

    def __init__(self, config: SessionConfig, settings: Settings) -> None:
        check_live(config, settings)
        self._config = config
        self._settings = settings
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def opened(self) -> Opened:
        """Ask the venue for its rules and its history; SettingsError where it can't be traded on."""
        try:
            return await self._opened()
        except VenueError as error:
            raise SettingsError(f"{self._config.name} can't begin: {error}") from error

    async def _opened(self) -> Opened:
        config = self._config
        connector = CONNECTORS[config.feed.kind]
        market = connector.market(config, self._settings)
        self._open.push_async_callback(market.close)
        start = closed_by(clock.now(), timeframe_of(config.timeframe))
        config = config.model_copy(update={"instruments": dict(await market.instruments())})
        warmup = await _warmup(market, config, start)
        if self._settings.mode == "dry_run":
            return Opened(config, market, None, {}, warmup, start)
        account = connector.account(self._settings)
        self._open.push_async_callback(account.close)
        await account.open()
        return Opened(config, market, account, await account.holdings(config.symbols), warmup, start)


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


def check_live(config: SessionConfig, settings: Settings) -> None:
    """SettingsError where the session's market can't be traded in this mode."""
    feed = config.feed.kind
    if feed not in CONNECTORS:
        raise SettingsError(f"feed {feed!r} is no live market; known are {', '.join(CONNECTORS)}")
    if config.shadow is not None:
        raise SettingsError("shadow: a session on a live market can't have one yet; take the table out")
    if settings.mode == "live":
        raise SettingsError("LIVE_TRADING: this version trades on the testnet only; leave LIVE_TRADING=false")
    if settings.mode != "dry_run" and config.venue != feed:
        raise SettingsError(f"venue {config.venue!r} with feed {feed!r}: orders go where the prices come from")
    CONNECTORS[feed].check(config, settings)
