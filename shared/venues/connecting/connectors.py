"""The venues that a session can follow, by the name of its feed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.runtime.settings import Settings
from shared.schemas.session import SessionConfig
from shared.venues.connecting import alpaca, binance
from shared.venues.connecting.keys import Keys
from shared.venues.live import Account, Market


@dataclass(frozen=True)
class Connector:
    """How a venue is reached.

    `obstacle` says why the session doesn't suit it, or None; `keys` which settings it needs, None for none. A `public`
    market is told to everybody.
    """

    obstacle: Callable[[SessionConfig], str | None]
    keys: Callable[[Settings], Keys | None]
    market: Callable[[SessionConfig, Settings], Market]
    account: Callable[[Settings], Account]
    public: bool


CONNECTORS: Mapping[str, Connector] = {
    "binance": Connector(binance.obstacle, binance.keys, binance.market, binance.account, public=True),
    "alpaca": Connector(alpaca.obstacle, alpaca.keys, alpaca.market, alpaca.account, public=False),
}
