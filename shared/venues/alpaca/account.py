"""An account at Alpaca: sending, cancelling and looking at orders, and hearing what becomes of them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog

from shared.schemas.orders import Ticket
from shared.schemas.values import iso
from shared.venues.alpaca import orders, streams
from shared.venues.alpaca.books import AlpacaBooks
from shared.venues.alpaca.calendar import Calendar
from shared.venues.alpaca.client import UNREADABLE, Client, told_as_trouble
from shared.venues.alpaca.errors import NAME
from shared.venues.alpaca.symbols import is_pair
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Word

_log = structlog.get_logger(NAME)


class AlpacaAccount(AlpacaBooks):
    """One account. Every method raises VenueError, whose `fate` says what it leaves behind; none tries again.

    An order for a stock is refused while the exchange is closed: Alpaca would keep it for the next opening.
    """

    name = NAME
    proof_seconds = 30.0
    """Alpaca's requests carry no time by which they'd become void; this is thrice the time-out of a call."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._calendar = Calendar(client)
        self._filled: dict[str, Decimal] = {}

    async def open(self) -> None:
        """Read what the account may do and pays; VenueError where it may not trade."""
        found = await self.standing()
        if found.blocks:
            raise VenueError(
                NAME, Fate.FATAL, f"the account may not trade: {', '.join(found.blocks)}; see to it at Alpaca"
            )
        await self._calendar.hours()

    async def send(self, ticket: Ticket) -> Sequence[Word]:
        """Send the order, once."""
        request = orders.request_of(ticket)
        if not is_pair(ticket.symbol):
            await self._check_open(ticket)
        answer = await self._client.trading("POST", "/orders", request, urgent=ticket.reduce_only)
        with told_as_trouble():
            return orders.answered(ticket, answer)

    async def cancel(self, ticket: Ticket) -> Sequence[Word]:
        """Take the order back; ABSENT where it is no longer worked."""
        order = await self._order(ticket, urgent=True)
        with told_as_trouble():
            path = f"/orders/{order['id']}"
        await self._client.trading("DELETE", path, urgent=True)
        return await self._look(ticket, urgent=True)

    async def look(self, ticket: Ticket) -> Sequence[Word]:
        """The order as the venue shows it, with its executions; ABSENT where this answer does not know it."""
        return await self._look(ticket, urgent=False)

    async def _look(self, ticket: Ticket, *, urgent: bool) -> Sequence[Word]:
        order = await self._order(ticket, urgent=urgent)
        trades: Sequence[Mapping[str, Any]] = ()
        with told_as_trouble():
            filled = Decimal(order["filled_qty"])
            if filled:
                trades = await self._trades(order, urgent=urgent)
                self._filled[order["id"]] = max(filled, self._filled.get(order["id"], filled))
            return orders.shown(order, trades, self._rates)

    async def follow(self, heard: Callable[[Sequence[Word]], None], ready: Callable[[], None]) -> None:
        """Pass on what the venue reports, until the connection ends in a VenueError.

        `ready` is called once it does, and whenever something can't be read or does not follow on what was told: ask
        then.
        """

        def told(update: Mapping[str, Any]) -> None:
            try:
                words, whole = self._reported(update)
            except UNREADABLE as error:
                _log.warning("a report that can't be read", reason=repr(error))
                ready()
                return
            heard(words)
            if not whole:
                ready()

        await streams.follow(streams.OrderUpdates(self._client.access, told, ready), "the account's stream")

    def _reported(self, update: Mapping[str, Any]) -> tuple[Sequence[Word], bool]:
        """What an update says, and whether that is all there is to know.

        A trade is told only where it takes its order on from what was filled before: on this its name hangs.
        """
        words = orders.reported(update, self._rates)
        if orders.is_correction(update):
            _log.error("a trade was corrected afterwards; compare the account with ours", update=dict(update))
        if not orders.is_trade(update):
            return words, True
        order = update["order"]["id"]
        before, after = orders.filled_by(update)
        known = self._filled.get(order, Decimal(0))
        if after > known != before:
            return words[1:], False
        self._filled[order] = max(after, known)
        return words, True

    async def _check_open(self, ticket: Ticket) -> None:
        """VenueError where stocks are not traded now, or where that can't be known; nothing has been sent then."""
        try:
            hours, now = await self._calendar.hours(), await self._calendar.now()
            hours = hours.at_length if ticket.extended_hours else hours
        except VenueError as error:
            fate = Fate.FATAL if error.fate is Fate.FATAL else Fate.RETRY
            raise VenueError(NAME, fate, f"the exchange's hours: {error.reason}", error.code) from error
        if not hours.open_at(now):
            opens = hours.next_open(now)
            until = f"; it opens at {iso(opens)}" if opens else ""
            wait = (opens - now).total_seconds() if opens else None
            raise VenueError(NAME, Fate.REFUSED, f"{ticket.symbol}: the exchange is closed{until}", retry_after=wait)

    async def _order(self, ticket: Ticket, *, urgent: bool) -> Mapping[str, Any]:
        asked, path = {"client_order_id": ticket.client_order_id}, "/orders:by_client_order_id"
        order: Mapping[str, Any] = await self._client.trading("GET", path, asked, urgent=urgent)
        return order
