"""What the rules for one order may look at."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from shared.schemas.orders import Ticket


class Proposal(NamedTuple):
    """An order and the guard's own books at the moment of the decision.

    Amounts are in the quote currency. `close` and `closed_at` are the guard's last candle of the symbol, None before
    the first. `added` is what the order adds to the exposure at the highest price it may pay, zero for a sell;
    `symbol_value` and `exposure` count positions at the last closes and approved buys that have not filled.
    `sellable` are the units that the order's strategy holds and no open sell order claims yet. `open_orders` and
    `recent_orders` count approved orders, the latter of the last minute of market time.
    """

    ticket: Ticket
    market_time: datetime
    equity: Decimal
    close: Decimal | None
    closed_at: datetime | None
    added: Decimal
    symbol_value: Decimal
    exposure: Decimal
    sellable: Decimal
    open_orders: int
    recent_orders: int
