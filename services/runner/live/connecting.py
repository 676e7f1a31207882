"""The venues that a session can follow, by the name of its feed.

A venue's client takes up to two seconds and 100 MB: nothing here imports one before it is connected to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.runner.live import alpaca, binance
from shared.runtime.settings import Settings
from shared.schemas.session import SessionConfig
from shared.venues.live import Account, Market


@dataclass(frozen=True)
class Connector:
    """How a venue is reached.

    `check` raises SettingsError where the session or the settings don't suit it, and connects to nothing.
    """

    check: Callable[[SessionConfig, Settings], None]
    market: Callable[[SessionConfig, Settings], Market]
    account: Callable[[Settings], Account]


CONNECTORS: Mapping[str, Connector] = {
    "binance": Connector(binance.check, binance.market, binance.account),
    "alpaca": Connector(alpaca.check, alpaca.market, alpaca.account),
}
