"""What an account at Alpaca may do, holds and has done: its standing, orders at rest, positions, executions."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.runtime import clock
from shared.schemas.values import Side, iso
from shared.venues.alpaca import orders
from shared.venues.alpaca.client import Client, told_as_trouble
from shared.venues.alpaca.fees import rates_of
from shared.venues.alpaca.standing import standing_of
from shared.venues.alpaca.symbols import as_position, base_of
from shared.venues.standing import Standing
from shared.venues.statement import Execution, Listed, Statement

_PAGE, _ORDERS_PAGE = 100, 500
_MARGIN = timedelta(seconds=1)
"""What lies at the very moment that is asked for may be left out."""


class AlpacaBooks:
    """Reads one account. Every method raises VenueError."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rates = rates_of(None)
        self._orders: dict[str, Mapping[str, Any]] = {}

    async def close(self) -> None:
        """End every connection."""
        await self._client.close()

    async def standing(self) -> Standing:
        """How the account may be used; of the key Alpaca tells nothing."""
        told = await self._client.trading("GET", "/account")
        with told_as_trouble():
            if told.get("crypto_tier") is not None:
                self._rates = rates_of(told["crypto_tier"])
            return standing_of(told)

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[str]:
        """The names of the open orders in `symbols`, whoever placed them."""
        return [listed.client_order_id for listed in await self._listed(symbols)]

    async def holdings(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Units held of each symbol's asset, free and locked together, zero included."""
        positions = await self._client.trading("GET", "/positions")
        with told_as_trouble():
            held = {each["symbol"]: Decimal(each["qty"]) for each in positions}
            return {symbol: held.get(as_position(symbol), Decimal(0)) for symbol in symbols}

    async def balances(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Units of each symbol's shares or coins, zero included.

        Cash is left out: interest, dividends and regulatory fees move it too.
        """
        held = await self.holdings(symbols)
        return {base_of(symbol): qty for symbol, qty in held.items()}

    async def statement(self, symbols: Sequence[str], since: datetime) -> Statement:
        """The account as the venue shows it now; executions from `since` on."""
        before = await self._fills(since)
        balances, listed = await self.balances(symbols), await self._listed(symbols)
        trades = await self._fills(since)
        wanted = {as_position(symbol): symbol for symbol in symbols}
        with told_as_trouble():
            counted = [trade for trade in trades if as_position(trade["symbol"]) in wanted]
            executions = [await self._execution(wanted[as_position(each["symbol"])], each) for each in counted]
            at_rest = {trade["id"] for trade in before} == {trade["id"] for trade in trades}
        return Statement(since, clock.now(), tuple(listed), tuple(executions), balances if at_rest else None)

    async def _execution(self, symbol: str, trade: Mapping[str, Any]) -> Execution:
        number = str(trade["order_id"])
        if number not in self._orders:
            self._orders[number] = await self._client.trading("GET", f"/orders/{number}")
        word = orders.traded(self._orders[number], trade, self._rates)
        side = Side.BUY if trade["side"] == "buy" else Side.SELL
        return Execution(symbol, side, datetime.fromisoformat(trade["transaction_time"]), word)

    async def _listed(self, symbols: Sequence[str]) -> Sequence[Listed]:
        wanted = {as_position(symbol): symbol for symbol in symbols}
        asked = {"status": "open", "limit": _ORDERS_PAGE, "direction": "asc"}
        found: list[Listed] = []
        while True:
            page = await self._client.trading("GET", "/orders", asked)
            with told_as_trouble():
                for order in page:
                    if as_position(order["symbol"]) in wanted:
                        found.append(Listed(order["client_order_id"], wanted[as_position(order["symbol"])]))
                if len(page) < _ORDERS_PAGE:
                    return found
                asked["after"] = page[-1]["submitted_at"]

    async def _trades(self, order: Mapping[str, Any], *, urgent: bool) -> Sequence[Mapping[str, Any]]:
        """The order's trades: all of the account's since the order was placed are asked for."""
        placed = datetime.fromisoformat(order["created_at"])
        return [each for each in await self._fills(placed, urgent=urgent) if each["order_id"] == order["id"]]

    async def _fills(self, since: datetime, *, urgent: bool = False) -> Sequence[Mapping[str, Any]]:
        """All of the account's trades from `since` on, oldest first."""
        asked = {"after": iso(since - _MARGIN), "direction": "asc", "page_size": _PAGE}
        found: list[Mapping[str, Any]] = []
        while True:
            page = await self._client.trading("GET", "/account/activities/FILL", asked, urgent=urgent)
            with told_as_trouble():
                found += page
                if len(page) < _PAGE:
                    return found
                asked["page_token"] = page[-1]["id"]
