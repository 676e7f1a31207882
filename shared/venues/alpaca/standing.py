"""What Alpaca tells of its assets and of an account.

Sources: "Assets" and "Account" of Alpaca's Trading API reference. Nothing in its answers tells what a key may do.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.schemas.values import OrderType
from shared.venues.alpaca.symbols import base_of, is_pair
from shared.venues.standing import Listing, Rights, Standing

UNTOLD = Rights(untold="Alpaca does not tell whether a key may withdraw or transfer")
_BLOCKS = ("trading_blocked", "account_blocked", "trade_suspended_by_user")
_OF_STOCKS = frozenset(OrderType)
_OF_PAIRS = _OF_STOCKS - {OrderType.STOP}


def listing(asset: Mapping[str, Any]) -> Listing:
    """One asset."""
    symbol, status = asset["symbol"], str(asset["status"])
    quote = symbol.partition("/")[2] or "USD"
    trading = asset["tradable"] is True and status == "active"
    offered = _OF_PAIRS if is_pair(symbol) else _OF_STOCKS
    return Listing(symbol, base_of(symbol), quote, trading, status, offered)


def standing_of(account: Mapping[str, Any]) -> Standing:
    """The answer of `account`: blocks, and the money that is the account's own, without margin."""
    blocks = [name for name in _BLOCKS if account.get(name)]
    if account["status"] != "ACTIVE":
        blocks.append(str(account["status"]))
    free = Decimal(account["non_marginable_buying_power"])
    return Standing(tuple(blocks), {account["currency"]: free}, UNTOLD)
