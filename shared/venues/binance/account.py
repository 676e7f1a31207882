"""A spot account at Binance: sending, cancelling and looking at orders, and hearing what becomes of them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog

from shared.schemas.identity import leg_ids
from shared.schemas.orders import Ticket
from shared.venues.binance import lists, orders, standing
from shared.venues.binance.books import BinanceBooks
from shared.venues.binance.client import STREAMS_END, UNREADABLE, Client, told_as_trouble
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
        """Send the order, once; a list in one call, so that both of its orders arrive or none."""
        if ticket.is_list:
            return await self._send_list(ticket)
        answer = await self._asked("privatePostOrder", urgent=ticket.reduce_only, **orders.request_of(ticket))
        with told_as_trouble():
            return orders.answered(ticket, answer)

    async def cancel(self, ticket: Ticket) -> Sequence[Word]:
        """Take the order back; ABSENT where it is no longer worked."""
        name, symbol = ticket.client_order_id, ticket.symbol
        if ticket.is_list:
            await self._asked("privateDeleteOrderList", urgent=True, symbol=symbol, listClientOrderId=name)
        else:
            await self._asked("privateDeleteOrder", urgent=True, symbol=symbol, origClientOrderId=name)
        return await self._look(ticket, urgent=True)

    async def look(self, ticket: Ticket) -> Sequence[Word]:
        """The order as the venue shows it, with its executions; ABSENT where this answer does not know it."""
        return await self._look(ticket, urgent=False)

    async def _look(self, ticket: Ticket, *, urgent: bool) -> Sequence[Word]:
        if ticket.is_list:
            return await self._look_at_list(ticket, urgent=urgent)
        order = await self._order(ticket.symbol, ticket.client_order_id, urgent=urgent)
        with told_as_trouble():
            return orders.shown(ticket, order, await self._trades_of(order, urgent=urgent))

    async def _send_list(self, ticket: Ticket) -> Sequence[Word]:
        answer = await self._asked("privatePostOrderListOco", urgent=True, **lists.request_of(ticket))
        with told_as_trouble():
            return lists.answered(ticket, answer)

    async def _look_at_list(self, ticket: Ticket, *, urgent: bool) -> Sequence[Word]:
        """Both arrive together: while only one is shown, the venue's answers lag."""
        found, missing = [], []
        for name in leg_ids(ticket.client_order_id):
            try:
                found.append(await self._order(ticket.symbol, name, urgent=urgent))
            except VenueError as error:
                if error.fate is not Fate.ABSENT:
                    raise
                missing.append(error)
        if missing:
            raise (
                VenueError(self.name, Fate.RETRY, f"only a part of the list is shown: {missing[0]}")
                if found
                else missing[0]
            )
        with told_as_trouble():
            trades = [trade for order in found for trade in await self._trades_of(order, urgent=urgent)]
            return lists.shown(ticket, found, trades)

    async def _order(self, symbol: str, name: str, *, urgent: bool) -> Mapping[str, Any]:
        order: Mapping[str, Any] = await self._asked(
            "privateGetOrder", urgent=urgent, symbol=symbol, origClientOrderId=name
        )
        return order

    async def _trades_of(self, order: Mapping[str, Any], *, urgent: bool) -> Sequence[Mapping[str, Any]]:
        if not Decimal(order["executedQty"]):
            return ()
        symbol, number = order["symbol"], order["orderId"]
        trades: Sequence[Mapping[str, Any]] = await self._asked(
            "privateGetMyTrades", urgent=urgent, symbol=symbol, orderId=number
        )
        return trades

    async def follow(self, heard: Callable[[Sequence[Word]], None], ready: Callable[[], None]) -> None:
        """Pass on what the venue reports, until the connection ends in a VenueError.

        `ready` is called once it does, and whenever it said something that can't be read: ask then.
        """
        legs = lists.Legs()

        def told(message: Mapping[str, Any]) -> None:
            try:
                words = legs.heard(orders.reported(message), message.get("g"))
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
            await self._client.client(url).future(STREAMS_END)
        raise VenueError(self.name, Fate.RETRY, "the account's stream ended")
