"""Orders, trades and order lists as the venue keeps them. Times are milliseconds since 1970."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from tests.venues.binance.amounts import ZERO

OPEN = ("NEW", "PARTIALLY_FILLED")
STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
MARKETS = ("MARKET", "STOP_LOSS", "TAKE_PROFIT")
"""Types that take any price once they are live."""
TYPES = ("LIMIT", "MARKET", *STOPS, "LIMIT_MAKER")


class Wanted(NamedTuple):
    """An order as it was asked for. Exactly one of `qty` and `quote_qty` is above zero."""

    symbol: str
    side: str
    type: str
    client_id: str
    qty: Decimal = ZERO
    quote_qty: Decimal = ZERO
    price: Decimal = ZERO
    stop: Decimal = ZERO
    tif: str = "GTC"

    @property
    def buys(self) -> bool:
        """Whether the base asset is bought."""
        return self.side == "BUY"


@dataclass
class Trade:
    """One fill. `qty` and `price` as traded, `commission` in `commission_asset`."""

    id: int
    order_id: int
    list_id: int
    symbol: str
    side: str
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    maker: bool
    time: int

    @property
    def quote(self) -> Decimal:
        """What was paid or received in the quote asset, without commission."""
        return self.price * self.qty


@dataclass
class Order:
    """An order. `working` is false for a stop that has not been triggered."""

    id: int
    wanted: Wanted
    time: int
    list_id: int = -1
    status: str = "NEW"
    qty: Decimal = ZERO
    filled: Decimal = ZERO
    quote_filled: Decimal = ZERO
    working: bool = True
    working_time: int = -1
    updated: int = 0
    pieces: int = 0
    """Into how many fills the rest is split; 0 where it fills at once."""
    trades: list[Trade] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it may still be filled."""
        return self.status in OPEN

    @property
    def leaves(self) -> Decimal:
        """What is still to be filled."""
        return self.qty - self.filled

    @property
    def hold_key(self) -> tuple[str, int]:
        """Under what its funds are locked: the legs of a list share theirs."""
        return ("order", self.id) if self.list_id < 0 else ("list", self.list_id)


@dataclass
class OrderList:
    """An OCO: `orders` are the ids of the leg above and the leg below."""

    id: int
    client_id: str
    symbol: str
    orders: tuple[int, ...]
    time: int
    status: str = "EXEC_STARTED"
    order_status: str = "EXECUTING"
