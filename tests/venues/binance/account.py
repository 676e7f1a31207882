"""An account with its API key."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.venues.binance.exchange import Exchange
from tests.venues.binance.limits import OrderLimit

KEY = "a-made-up-key-for-tests-only"
SECRET = "a-made-up-secret-for-tests-only"


def harmless() -> dict[str, Any]:
    """The permissions of a key as it should be: it reads and trades spot from known addresses, no more."""
    return {
        "ipRestrict": True,
        "createTime": 1698645219000,
        "enableReading": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": True,
        "enableSpotAndMarginTrading": True,
        "enablePortfolioMarginTrading": False,
    }


@dataclass
class Account:
    """`restrictions` is what `apiRestrictions` tells of the key; None where the venue lacks `/sapi`, as testnets do.

    A key whose restrictions forbid trading is refused there, one of an account that may not trade as well.
    """

    exchange: Exchange
    key: str = KEY
    secret: str = SECRET
    restrictions: dict[str, Any] | None = field(default_factory=harmless)
    can_trade: bool = True
    can_withdraw: bool = True
    order_limit: OrderLimit = field(default_factory=OrderLimit)

    def fund(self, **amounts: str) -> None:
        """Set balances without telling any stream: `fund(USDT="1000")`."""
        for asset, amount in amounts.items():
            self.exchange.books.ledger.total[asset] = Decimal(amount)
            self.exchange.before.ledger.total[asset] = Decimal(amount)

    def may_trade(self) -> bool:
        """Whether the key is allowed to trade spot."""
        return self.restrictions is None or bool(self.restrictions["enableSpotAndMarginTrading"])
