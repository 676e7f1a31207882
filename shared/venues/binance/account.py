"""A spot account at Binance: sending, cancelling and looking at orders, and hearing what becomes of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog

from shared.schemas.orders import Ticket
from shared.venues.binance import orders, standing
from shared.venues.binance.client import UNREADABLE, Client, told_as_trouble
from shared.venues.binance.errors import is_about_the_clock
from shared.venues.standing import Standing
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Word

_log = structlog.get_logger("binance")


class BinanceAccount:
    """One account. Every method raises VenueError, whose `fate` says what it leaves behind; none tries again."""

    name = "binance"
    proof_seconds = 10.0
    """An order that has not arrived so long after it was sent never will: its timestamp is too old by then."""

    def __init__(self, client: Client, testnet: bool) -> None:
        self._client = client
        self._testnet = testnet

    async def open(self) -> None:
        """Measure the clock's offset, which signed calls need."""
        with told_as_trouble():
            await self._client.load_time_difference()

    async def close(self) -> None:
        """End every connection."""
        await self._client.close()

    async def standing(self) -> Standing:
        """What the key may do, and how the account may be used; the testnet does not tell the former."""
        account = await self._asked("privateGetAccount", omitZeroBalances="true")
        told = None if self._testnet else await self._asked("sapiGetAccountApiRestrictions")
        with told_as_trouble():
            return standing.standing(account, standing.rights(told) if told is not None else standing.UNTOLD)

    async def send(self, ticket: Ticket) -> Sequence[Word]:
        """Send the order, once."""
        answer = await self._asked("privatePostOrder", **orders.request_of(ticket))
        with told_as_trouble():
            return orders.answered(ticket, answer)

    async def cancel(self, ticket: Ticket) -> Sequence[Word]:
        """Take the order back; ABSENT where it is no longer worked."""
        name = ticket.client_order_id
        await self._asked("privateDeleteOrder", symbol=ticket.symbol, origClientOrderId=name)
        return await self.look(ticket)

    async def look(self, ticket: Ticket) -> Sequence[Word]:
        """The order as the venue shows it, with its executions; ABSENT where this answer does not know it."""
        name = ticket.client_order_id
        order = await self._asked("privateGetOrder", symbol=ticket.symbol, origClientOrderId=name)
        trades: Sequence[Mapping[str, Any]] = ()
        with told_as_trouble():
            if Decimal(order["executedQty"]):
                trades = await self._asked("privateGetMyTrades", symbol=ticket.symbol, orderId=order["orderId"])
            return orders.shown(ticket, order, trades)

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[str]:
        """The names of the open orders in `symbols`, whoever placed them."""
        found = await asyncio.gather(*(self._asked("privateGetOpenOrders", symbol=symbol) for symbol in symbols))
        with told_as_trouble():
            return [order["clientOrderId"] for each in found for order in each]

    async def holdings(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Units held of each symbol's base asset, free and locked together, zero included."""
        account = await self._asked("privateGetAccount", omitZeroBalances="true")
        with told_as_trouble():
            held = {each["asset"]: Decimal(each["free"]) + Decimal(each["locked"]) for each in account["balances"]}
            await self._client.load_markets()
            return {symbol: held.get(self._client.market(symbol)["baseId"], Decimal(0)) for symbol in symbols}

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

    async def _asked(self, call: str, **params: Any) -> Any:
        try:
            return await self._client.asked(call, **params)
        except VenueError as error:
            if is_about_the_clock(error):
                await self._measure_again()
            raise

    async def _measure_again(self) -> None:
        """Measure the clock's offset; where that fails, the next call is told so once more."""
        try:
            await self.open()
        except VenueError as error:
            _log.warning("the clock's offset can't be measured", reason=str(error))
