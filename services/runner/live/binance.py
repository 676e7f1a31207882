"""A session at Binance: what it needs of the settings."""

from typing import TYPE_CHECKING

from shared.runtime.errors import SettingsError
from shared.runtime.settings import Settings, clear
from shared.schemas.session import SessionConfig
from shared.venues.live import Account, Market

if TYPE_CHECKING:
    from shared.venues import binance


def check(config: SessionConfig, settings: Settings) -> None:
    """SettingsError where a session that trades has no key; a dry run needs none."""
    if settings.mode != "dry_run" and settings.binance_testnet_api_key is None:
        raise SettingsError("set BINANCE_TESTNET_API_KEY and BINANCE_TESTNET_SECRET_KEY; the testnet needs them")


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

    testnet = settings.mode == "testnet"
    return binance.Access(
        testnet=testnet,
        key=clear(settings.binance_testnet_api_key) if testnet else "",
        secret=clear(settings.binance_testnet_secret_key) if testnet else "",
        base_url=settings.binance_base_url,
        ws_url=settings.binance_ws_url,
        ws_api_url=settings.binance_ws_api_url,
    )
