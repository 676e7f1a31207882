"""What a live market and a real account offer, whichever venue they are at.

Every method raises VenueError, whose `fate` says what the failed call leaves behind; none tries again by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from shared.schemas.market import Candle, TradingHours
from shared.schemas.orders import Ticket
from shared.schemas.session import Instrument
from shared.venues.standing import Listing, Standing
from shared.venues.statement import Statement
from shared.venues.words import Word


class Market(Protocol):
    """The market of a session's symbols in its timeframe."""

    @property
    def name(self) -> str:
        """The venue."""

    async def close(self) -> None:
        """End every connection."""

    async def server_time(self) -> datetime:
        """The venue's clock."""

    async def listings(self) -> Mapping[str, Listing]:
        """Each symbol as the venue offers it; one that it does not know is left out."""

    async def instruments(self) -> Mapping[str, Instrument]:
        """The trading rules of each symbol."""

    async def trading_hours(self, flat_before: timedelta) -> TradingHours | None:
        """How the exchange stands by its own clock; None where all symbols are traded around the clock.

        It is closing for `flat_before` up to its close.
        """

    async def history(self, symbol: str, start: datetime, end: datetime) -> Sequence[Candle]:
        """The candles that opened from `start` on and closed by `end`, oldest first."""

    async def follow(self, heard: Callable[[Candle], None], alive: Callable[[], None]) -> None:
        """Pass on candles as they close, until the connection ends; `alive` on every message."""


class Account(Protocol):
    """An account at a venue."""

    @property
    def name(self) -> str:
        """The venue."""

    @property
    def proof_seconds(self) -> float:
        """Seconds after which a sent order can't arrive any more."""

    async def open(self) -> None:
        """Prepare the calls to come."""

    async def close(self) -> None:
        """End every connection."""

    async def standing(self) -> Standing:
        """What the key may do, and how the account may be used."""

    async def send(self, ticket: Ticket) -> Sequence[Word]:
        """Send the order, once."""

    async def cancel(self, ticket: Ticket) -> Sequence[Word]:
        """Take the order back; ABSENT where it is no longer worked."""

    async def look(self, ticket: Ticket) -> Sequence[Word]:
        """The order as the venue shows it, with its executions; ABSENT where this answer does not know it."""

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[str]:
        """The names of the open orders in `symbols`, whoever placed them."""

    async def holdings(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Units held of each symbol's asset, free and locked together, zero included."""

    async def balances(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Units of each asset that an order in `symbols` can move, fees included; free and locked, zero included.

        An asset that moves for other reasons too (interest, dividends) is left out.
        """

    async def statement(self, symbols: Sequence[str], since: datetime) -> Statement:
        """The account as the venue shows it now; executions from `since` on, however many."""

    async def follow(self, heard: Callable[[Sequence[Word]], None], ready: Callable[[], None]) -> None:
        """Pass on what the venue reports, until the connection ends.

        `ready` is called once it does, and whenever it said something that can't be read: ask then.
        """
