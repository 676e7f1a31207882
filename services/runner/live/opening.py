"""From a session's configuration and the settings to its live market and its account."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from pydantic import SecretStr

from services.runner.core.plan import Plan, plan
from services.runner.feeds.port import FeedDescription, Slice
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
from shared.venues.live import Account, Market
from shared.venues.trouble import VenueError

if TYPE_CHECKING:
    from shared.venues import binance


@dataclass(frozen=True)
class Opened:
    """A live market that can be traded on: the session with the venue's rules, and the history it warms up on.

    `account` is None in a dry run, whose orders go to the paper venue. `before` is what the account holds of each
    symbol's asset, `findings` what the preflight found.
    """

    config: SessionConfig
    market: Market
    account: Account | None
    before: Mapping[str, Decimal]
    warmup: tuple[Slice, ...]
    start: datetime
    findings: tuple[Finding, ...]

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
        found = [of_session.mode(mode, self._config.venue, wrong), of_session.keys(*_keys(self._settings))]
        if self._config.feed.kind == "binance":
            self._connect()
            found += await self._asked(prepared, begins)
        return (*found, *risk(prepared, mode), of_session.warmup(prepared))

    def _connect(self) -> None:
        from shared.venues import binance  # its client takes half a second and 100 MB: only who trades there pays

        access = _access(self._settings)
        self._market = binance.market(access, self._config.symbols, self._config.timeframe)
        self._open.push_async_callback(self._market.close)
        if access.key:
            self._account = binance.account(access)
            self._open.push_async_callback(self._account.close)

    async def _asked(self, prepared: Plan, begins: bool) -> Sequence[Finding]:
        assert self._market is not None
        found, listings = await examine_market(prepared, self._market)
        if self._account is None or listings is None:
            return found
        return (*found, *await examine_account(prepared, self._account, listings, begins))

    async def opened(self) -> Opened:
        """Ask the venue for its rules and its history; SettingsError where it can't be traded on."""
        _check(self._config, self._settings)
        findings = (*await self.examined(), of_stack.room(self._settings.data_dir))
        try:
            return await self._opened(findings)
        except VenueError as error:
            if failures(findings):
                raise SettingsError(refusal(self._config.name, findings)) from error
            raise SettingsError(f"{self._config.name} can't begin: {error}") from error

    async def _opened(self, findings: tuple[Finding, ...]) -> Opened:
        config, market, account = self._config, self._market, self._account
        assert market is not None
        start = closed_by(clock.now(), timeframe_of(config.timeframe))
        config = config.model_copy(update={"instruments": dict(await market.instruments())})
        warmup = await history(market, config.symbols, start - _length(config), start)
        before = await account.holdings(config.symbols) if account else {}
        return Opened(config, market, account, before, tuple(warmup), start, findings)


def _length(config: SessionConfig) -> timedelta:
    return config.warmup_bars * timeframe_of(config.timeframe)


def _check(config: SessionConfig, settings: Settings) -> None:
    """SettingsError, before anything is connected, where the settings alone forbid the session."""
    told = (
        of_session.mode(settings.mode, config.venue, obstacle(config, settings.mode)),
        of_session.keys(*_keys(settings)),
    )
    if failures(told):
        raise SettingsError(refusal(config.name, told))


def obstacle(config: SessionConfig, mode: Mode) -> str | None:
    """Why the session's market can't be traded in this mode, or None."""
    feed = config.feed.kind
    if feed != "binance":
        return f"feed {feed!r}: this version follows Binance's market only"
    if config.shadow is not None:
        return "shadow: a session on a live market can't have one yet; take the table out"
    if mode == "live":
        return "LIVE_TRADING: this version trades on the testnet only; leave LIVE_TRADING=false"
    if mode != "dry_run" and config.venue != feed:
        return f"venue {config.venue!r} with feed {feed!r}: orders go where the prices come from"
    return None


def _keys(settings: Settings) -> tuple[tuple[str, str] | None, bool]:
    """The settings that hold the mode's key, and whether they are there."""
    if settings.mode == "dry_run":
        return None, False
    return _KEYS[settings.mode], _pair(settings)[0] is not None


_KEYS = {
    "testnet": ("BINANCE_TESTNET_API_KEY", "BINANCE_TESTNET_SECRET_KEY"),
    "live": ("BINANCE_API_KEY", "BINANCE_SECRET_KEY"),
}


def _pair(settings: Settings) -> tuple[SecretStr | None, SecretStr | None]:
    match settings.mode:
        case "testnet":
            return settings.binance_testnet_api_key, settings.binance_testnet_secret_key
        case "live":
            return settings.binance_api_key, settings.binance_secret_key
        case _:
            return None, None


def _access(settings: Settings) -> "binance.Access":
    from shared.venues import binance

    key, secret = _pair(settings)
    return binance.Access(
        testnet=settings.mode == "testnet",
        key=_clear(key),
        secret=_clear(secret),
        base_url=settings.binance_base_url,
        ws_url=settings.binance_ws_url,
        ws_api_url=settings.binance_ws_api_url,
    )


def _clear(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
