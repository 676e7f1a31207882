"""What the venue trades."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True)
class Asset:
    """A share or a currency pair. Orders name a pair "BTC/USD", positions "BTCUSD"; the sizes concern pairs only."""

    symbol: str
    name: str = ""
    tradable: bool = True
    fractionable: bool = True
    min_order_size: Decimal = Decimal("0.0001")
    min_trade_increment: Decimal = Decimal("0.000000001")
    price_increment: Decimal = Decimal("0.01")

    @property
    def is_crypto(self) -> bool:
        """Whether it is a currency pair."""
        return "/" in self.symbol

    @property
    def position_symbol(self) -> str:
        """Its name among the positions."""
        return self.symbol.replace("/", "")

    @property
    def id(self) -> str:
        """The venue's identity for it."""
        return str(uuid5(NAMESPACE_URL, f"asset {self.symbol}"))

    @property
    def kind(self) -> str:
        """Its class as answers say it."""
        return "crypto" if self.is_crypto else "us_equity"

    @property
    def exchange(self) -> str:
        """Where it is listed."""
        return "CRYPTO" if self.is_crypto else "NASDAQ"

    def told(self) -> dict[str, Any]:
        """The answer of /v2/assets."""
        sizes = {
            "min_order_size": str(self.min_order_size),
            "min_trade_increment": str(self.min_trade_increment),
            "price_increment": str(self.price_increment),
        }
        return {
            "id": self.id,
            "class": self.kind,
            "exchange": self.exchange,
            "symbol": self.symbol,
            "name": self.name or self.symbol,
            "status": "active" if self.tradable else "inactive",
            "tradable": self.tradable,
            "marginable": not self.is_crypto,
            "maintenance_margin_requirement": 100 if self.is_crypto else 30,
            "shortable": not self.is_crypto,
            "easy_to_borrow": not self.is_crypto,
            "fractionable": self.fractionable,
            "attributes": [],
        } | (sizes if self.is_crypto else {})


def ordinary_assets() -> tuple[Asset, ...]:
    """Some shares, one that has no fractions, one that is halted for good, and two pairs."""
    return (
        Asset("AAPL", "Apple Inc. Common Stock"),
        Asset("MSFT", "Microsoft Corporation Common Stock"),
        Asset("WHOLE", "Sold by the share only", fractionable=False),
        Asset("GONE", "No longer traded", tradable=False),
        Asset("BTC/USD", "Bitcoin / US Dollar"),
        Asset("ETH/USD", "Ethereum / US Dollar", min_order_size=Decimal("0.001")),
    )
