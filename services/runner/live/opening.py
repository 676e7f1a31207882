"""From a session's configuration and the settings to its live market and its account."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from pydantic import SecretStr

from services.runner.feeds.port import FeedDescription, Slice
from services.runner.live.slices import closed_by, history
from shared.runtime import clock
from shared.runtime.errors import SettingsError
from shared.runtime.settings import Settings
from shared.schemas.market import timeframe_of
from shared.schemas.session import SessionConfig
from shared.venues.live import Account, Market
from shared.venues.trouble import VenueError

if TYPE_CHECKING:
    from shared.venues import binance


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
        from shared.venues import binance  # its client takes half a second and 100 MB: only who trades there pays

        config = self._config
        access = _access(self._settings)
        market = binance.market(access, config.symbols, config.timeframe)
        self._open.push_async_callback(market.close)
        start = closed_by(clock.now(), timeframe_of(config.timeframe))
        config = config.model_copy(update={"instruments": dict(await market.instruments())})
        warmup = await history(market, config.symbols, start - _length(config), start)
        if self._settings.mode == "dry_run":
            return Opened(config, market, None, {}, tuple(warmup), start)
        account = binance.account(access)
        self._open.push_async_callback(account.close)
        await account.open()
        return Opened(config, market, account, await account.holdings(config.symbols), tuple(warmup), start)


def _length(config: SessionConfig) -> timedelta:
    return config.warmup_bars * timeframe_of(config.timeframe)


def check_live(config: SessionConfig, settings: Settings) -> None:
    """SettingsError where the session's market can't be traded in this mode."""
    feed = config.feed.kind
    if feed != "binance":
        raise SettingsError(f"feed {feed!r}: this version follows Binance's market only")
    if config.shadow is not None:
        raise SettingsError("shadow: a session on a live market can't have one yet; take the table out")
    if settings.mode == "dry_run":
        return
    if settings.mode == "live":
        raise SettingsError("LIVE_TRADING: this version trades on the testnet only; leave LIVE_TRADING=false")
    if config.venue != feed:
        raise SettingsError(f"venue {config.venue!r} with feed {feed!r}: orders go where the prices come from")
    if settings.binance_testnet_api_key is None:
        raise SettingsError("set BINANCE_TESTNET_API_KEY and BINANCE_TESTNET_SECRET_KEY; the testnet needs them")


def _access(settings: Settings) -> "binance.Access":
    from shared.venues import binance

    return binance.Access(
        testnet=settings.mode == "testnet",
        key=_clear(settings.binance_testnet_api_key) if settings.mode == "testnet" else "",
        secret=_clear(settings.binance_testnet_secret_key) if settings.mode == "testnet" else "",
        base_url=settings.binance_base_url,
        ws_url=settings.binance_ws_url,
        ws_api_url=settings.binance_ws_api_url,
    )


def _clear(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
