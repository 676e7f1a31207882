"""A session at Binance: what it needs of the settings."""

from typing import TYPE_CHECKING

from pydantic import SecretStr

from shared.runtime.settings import Settings, clear
from shared.schemas.session import SessionConfig
from shared.venues.connecting.keys import Keys
from shared.venues.live import Account, Market

if TYPE_CHECKING:
    from shared.venues import binance


def obstacle(config: SessionConfig) -> str | None:
    """Nothing that a session can want is lacking at Binance."""
    return None


def keys(settings: Settings) -> Keys | None:
    """A dry run needs no key."""
    if settings.mode == "dry_run":
        return None
    names = ("BINANCE_API_KEY", "BINANCE_SECRET_KEY")
    if settings.mode == "testnet":
        names = ("BINANCE_TESTNET_API_KEY", "BINANCE_TESTNET_SECRET_KEY")
    return Keys(names, _pair(settings)[0] is not None, "or DRY_RUN=true")


def market(config: SessionConfig, settings: Settings) -> Market:
    """The session's market."""
    from shared.venues import binance

    return binance.market(_access(settings), config.symbols, config.timeframe)


def account(settings: Settings) -> Account:
    """The account that orders go to."""
    from shared.venues import binance

    return binance.account(_access(settings))


def _access(settings: Settings) -> "binance.Access":
    from shared.venues import binance

    key, secret = _pair(settings)
    return binance.Access(
        testnet=settings.mode == "testnet",
        key=clear(key),
        secret=clear(secret),
        base_url=settings.binance_base_url,
        ws_url=settings.binance_ws_url,
        ws_api_url=settings.binance_ws_api_url,
    )


def _pair(settings: Settings) -> tuple[SecretStr | None, SecretStr | None]:
    match settings.mode:
        case "testnet":
            return settings.binance_testnet_api_key, settings.binance_testnet_secret_key
        case "live":
            return settings.binance_api_key, settings.binance_secret_key
        case _:
            return None, None
