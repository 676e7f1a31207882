"""What Binance tells of its symbols, of a key and of an account.

Sources: "Exchange information" and "Account information" of Binance's spot documentation, "Get API Key Permission" of
its wallet documentation, and the spot testnet's questions and answers: the testnet has `/api` only, so there nobody
can ask what a key may do.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.venues.binance.orders import TYPES
from shared.venues.binance.rules import has_lists
from shared.venues.standing import Listing, Rights, Standing

_REMOVALS = ("enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer")
_BEYOND = ("enableMargin", "enableFutures", "enableVanillaOptions", "enablePortfolioMarginTrading")
UNTOLD = Rights(untold="Binance's testnet does not tell what a key may do; the key of the live account is checked")


def listing(told: Mapping[str, Any]) -> Listing:
    """One symbol of `exchangeInfo`."""
    offered = frozenset(type for type, name in TYPES.items() if name in told["orderTypes"])
    trading = told["status"] == "TRADING" and told.get("isSpotTradingAllowed", True)
    names = told["symbol"], told["baseAsset"], told["quoteAsset"]
    return Listing(*names, trading, told["status"], offered, has_lists(told))


def rights(told: Mapping[str, Any]) -> Rights:
    """The answer of `apiRestrictions`; KeyError where it leaves out a right that could remove funds.

    A right counts as given unless the answer says plainly that it is not.
    """
    return Rights(
        trades=told["enableSpotAndMarginTrading"] is True,
        removals=tuple(name for name in _REMOVALS if told[name] is not False),
        beyond=tuple(name for name in _BEYOND if told.get(name, False) is not False),
        bound=told["ipRestrict"] is True,
    )


def standing(account: Mapping[str, Any], of_key: Rights) -> Standing:
    """The answer of `account`, beside what the key may do."""
    blocks = () if account["canTrade"] is True else ("canTrade is false",)
    free = {each["asset"]: amount for each in account["balances"] if (amount := Decimal(each["free"]))}
    return Standing(blocks, free, of_key)
