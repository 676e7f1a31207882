"""An account as the venue shows it at one time: what a session's own books are held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.schemas.values import Side
from shared.venues.words import Executed


@dataclass(frozen=True, slots=True)
class Listed:
    """An open order. `client_order_id` is the name that whoever placed it gave it."""

    client_order_id: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution in the account, ours or not: `word.client_order_id` names the order."""

    symbol: str
    side: Side
    at: datetime
    word: Executed


@dataclass(frozen=True, slots=True)
class Statement:
    """The account between `since` and `at`, both by our clock: open orders, executions, balances.

    `balances` are the totals of each asset in whole, free and locked; None where executions came in between, so that
    they stand for no one moment.
    """

    since: datetime
    at: datetime
    open_orders: tuple[Listed, ...]
    executions: tuple[Execution, ...]
    balances: Mapping[str, Decimal] | None
