"""What a real venue says of our orders: in its own time, in any order, and more than once.

The runner's core makes reports of these words, knowing what it has heard before.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Standing = Literal["working", "filled", "cancelled", "expired", "rejected"]


@dataclass(frozen=True, slots=True)
class Shown:
    """An order as the venue shows it. `filled_qty` has filled in all; `reason` is the venue's own word.

    One that was `never_sent` is told in the venue's place: it counts as rejected.
    """

    client_order_id: str
    venue_order_id: str | None
    standing: Standing
    filled_qty: Decimal
    reason: str = ""
    never_sent: bool = False


@dataclass(frozen=True, slots=True)
class Executed:
    """One execution. `fee` is in units of `fee_asset`, whichever that is."""

    client_order_id: str
    trade_id: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Literal["maker", "taker"]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """The order was sent, and no answer tells whether it arrived."""

    client_order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The venue has shown often enough, and long enough after the sending, that the order never arrived."""

    client_order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkedStill:
    """The venue, asked for an order that was taken for gone, shows that it works it."""

    client_order_id: str
    venue_order_id: str | None


Word = Shown | Executed | Doubtful | Absent | WorkedStill


@dataclass(frozen=True, slots=True)
class VenueSaid:
    """Words of the venue, in the order in which they came."""

    words: tuple[Word, ...]
