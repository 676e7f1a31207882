"""A spot account at Binance: sending, cancelling and looking at orders, and hearing what becomes of them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog

from shared.schemas.orders import Ticket
from shared.venues.binance import orders, standing
from shared.venues.binance.books import BinanceBooks
from shared.venues.binance.client import UNREADABLE, Client, told_as_trouble
from shared.venues.standing import Standing
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Word

_log = structlog.get_logger("binance")


class BinanceAccount(BinanceBooks):
    """One account. Every method raises VenueError, whose `fate` says what it leaves behind; none tries again."""

    name = "binance"
    proof_seconds = 10.0
    """An order that has not arrived so long after it was sent never will: its timestamp is too old by then."""

    def __init__(self, client: Client, testnet: bool) -> None:
        super().__init__(client)
        self._testnet = testnet

    async def standing(self) -> Standing:
        """What the key may do, and how the account may be used; the testnet does not tell the former."""
        account = await self._asked("privateGetAccount", omitZeroBalances="true")
        told = None if self._testnet else await self._asked("sapiGetAccountApiRestrictions")
        with told_as_trouble():
            return standing.standing(account, standing.rights(told) if told is not None else standing.UNTOLD)

    async def send(self, ticket: Ticket) -> Sequence[Word]:
        """Send the order, once."""
        answer = await self._asked("privatePostOrder", urgent=ticket.reduce_only, **orders.request_of(ticket))
        with told_as_trouble():
            return orders.answered(ticket, answer)

    async def cancel(self, ticket: Ticket) -> Sequence[Word]:
        """Take the order back; ABSENT where it is no longer worked."""
        name = ticket.client_order_id
        await self._asked("privateDeleteOrder", urgent=True, symbol=ticket.symbol, origClientOrderId=name)
        return await self._look(ticket, urgent=True)

    async def look(self, ticket: Ticket) -> Sequence[Word]:
        """The order as the venue shows it, with its executions; ABSENT where this answer does not know it."""
        return await self._look(ticket, urgent=False)

    async def _look(self, ticket: Ticket, *, urgent: bool) -> Sequence[Word]:
        symbol, name = ticket.symbol, ticket.client_order_id
        order = await self._asked("privateGetOrder", urgent=urgent, symbol=symbol, origClientOrderId=name)
        trades: Sequence[Mapping[str, Any]] = ()
        with told_as_trouble():
            if Decimal(order["executedQty"]):
                number = order["orderId"]
                trades = await self._asked("privateGetMyTrades", urgent=urgent, symbol=symbol, orderId=number)
            return orders.shown(ticket, order, trades)

    async def follow(self, heard: Callable[[Sequence[Word]], None], ready: Callable[[], None]) -> None:
        """Pass on what the venue reports, until the connection ends in a VenueError.

        `ready` is called once it does, and whenever it said something that can't be read: ask then.
        """

        def told(message: Mapping[str, Any]) -> None:
            try:
                words = orders.reported(message)
            except UNREADABLE as error:
                _log.warning("a report that can't be read", reason=repr(error))
                ready()
                return
            heard(words)

        self._client.on_order = told
        url = self._client.urls["api"]["ws"]["ws-api"]["spot"]
        async with self._client.followed("the account's stream"):
            await self._client.authenticate({"type": "spot"})
            ready()
            await self._client.client(url).future("the connection's end")
        raise VenueError(self.name, Fate.RETRY, "the account's stream ended")
