"""Binance spot, by its REST interface and its streams, through ccxt."""

from collections.abc import Sequence

from shared.venues.binance.account import BinanceAccount
from shared.venues.binance.client import Access, connected
from shared.venues.binance.market import BinanceMarket

__all__ = ["Access", "account", "market"]


def account(access: Access) -> BinanceAccount:
    """The account that `access` opens."""
    return BinanceAccount(connected(access), access.testnet)


def market(access: Access, symbols: Sequence[str], timeframe: str) -> BinanceMarket:
    """The market of `symbols` in bars of `timeframe`; needs no key."""
    return BinanceMarket(connected(access), symbols, timeframe)
