"""Alpaca's US stocks and crypto, by its REST interface and its streams, through alpaca-py."""

from collections.abc import Sequence

from shared.venues.alpaca.account import AlpacaAccount
from shared.venues.alpaca.client import Access, Client
from shared.venues.alpaca.market import AlpacaMarket

__all__ = ["Access", "account", "market"]


def account(access: Access) -> AlpacaAccount:
    """The account that `access` opens."""
    return AlpacaAccount(Client(access))


def market(access: Access, symbols: Sequence[str], timeframe: str, *, extended: bool = False) -> AlpacaMarket:
    """The market of `symbols` in bars of `timeframe`, those of `extended` hours too where that is asked for.

    Needs a key. VenueError where no hour is full of such bars.
    """
    return AlpacaMarket(Client(access), symbols, timeframe, extended=extended)
