"""What an account at Binance holds and has done: orders at rest, balances, executions."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import structlog

from shared.runtime import clock
from shared.schemas.identity import order_of_leg
from shared.schemas.values import Side
from shared.venues.binance import orders
from shared.venues.binance.client import Client, told_as_trouble
from shared.venues.binance.errors import is_about_the_clock
from shared.venues.binance.weights import asks_for_all_open_orders, weight_of_statement
from shared.venues.statement import Execution, Listed, Statement
from shared.venues.trouble import VenueError

_FEE_ASSET = "BNB"
_PAGE = 1000
"""Executions in one answer, at most."""
_log = structlog.get_logger("binance")


class BinanceBooks:
    """Reads one account. Every method raises VenueError."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._names: dict[tuple[str, int], str] = {}

    async def open(self) -> None:
        """Measure the clock's offset, which signed calls need."""
        with told_as_trouble():
            await self._client.load_time_difference()

    async def close(self) -> None:
        """End every connection."""
        await self._client.close()

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[str]:
        """The names of the open orders in `symbols`, whoever placed them."""
        return [listed.client_order_id for listed in await self._listed(symbols)]

    async def holdings(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Units held of each symbol's base asset, free and locked together, zero included."""
        held, markets = await self._held(), await self._markets(symbols)
        return {symbol: held.get(base, Decimal(0)) for symbol, (base, _) in markets.items()}

    async def balances(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Units of each symbol's two assets and of BNB, in which fees may be paid; free and locked, zero included."""
        held, markets = await self._held(), await self._markets(symbols)
        assets = {*(asset for both in markets.values() for asset in both), _FEE_ASSET}
        return {asset: held.get(asset, Decimal(0)) for asset in sorted(assets)}

    async def statement(self, symbols: Sequence[str], since: datetime) -> Statement:
        """The account as the venue shows it now; executions from `since` on.

        The balances are looked at before and after all else, for they are cheaper to ask for than executions: where
        they have moved meanwhile, something was executed.
        """
        self._client.put_off(weight_of_statement(len(symbols)))
        before = await self.balances(symbols)
        listed, trades = await self._listed(symbols), await self._trades(symbols, since)
        with told_as_trouble():
            executions = [await self._execution(trade) for trade in trades]
        balances = await self.balances(symbols)
        at_rest = before == balances
        return Statement(since, clock.now(), tuple(listed), tuple(executions), balances if at_rest else None)

    async def _listed(self, symbols: Sequence[str]) -> Sequence[Listed]:
        found = await self._open(symbols)
        with told_as_trouble():
            names = ((order_of_leg(order["clientOrderId"]), order["symbol"]) for order in found)
            return [Listed(*named) for named in dict.fromkeys(names) if named[1] in symbols]

    async def _open(self, symbols: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """The open orders, those of other symbols included where all cost less."""
        if asks_for_all_open_orders(len(symbols)):
            every: Sequence[Mapping[str, Any]] = await self._asked("privateGetOpenOrders")
            return every
        found = await asyncio.gather(*(self._asked("privateGetOpenOrders", symbol=symbol) for symbol in symbols))
        return [order for each in found for order in each]

    async def _held(self) -> Mapping[str, Decimal]:
        account = await self._asked("privateGetAccount", omitZeroBalances="true")
        with told_as_trouble():
            return {each["asset"]: Decimal(each["free"]) + Decimal(each["locked"]) for each in account["balances"]}

    async def _markets(self, symbols: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """The base and the quote asset of each symbol."""
        with told_as_trouble():
            await self._client.load_markets()
            markets = {symbol: self._client.market(symbol) for symbol in symbols}
            return {symbol: (market["baseId"], market["quoteId"]) for symbol, market in markets.items()}

    async def _trades(self, symbols: Sequence[str], since: datetime) -> Sequence[Mapping[str, Any]]:
        found = await asyncio.gather(*(self._trades_in(symbol, since) for symbol in symbols))
        return [trade for each in found for trade in each]

    async def _trades_in(self, symbol: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        first: dict[str, int] = {"startTime": int(since.timestamp() * 1000)}
        while True:
            page = await self._asked("privateGetMyTrades", symbol=symbol, limit=_PAGE, **first)
            with told_as_trouble():
                found += page
                if len(page) < _PAGE:
                    return found
                first = {"fromId": int(page[-1]["id"]) + 1}

    async def _execution(self, trade: Mapping[str, Any]) -> Execution:
        symbol, order_id = str(trade["symbol"]), int(trade["orderId"])
        name = self._names.get((symbol, order_id))
        if name is None:
            order = await self._asked("privateGetOrder", symbol=symbol, orderId=order_id)
            name = self._names[symbol, order_id] = order_of_leg(str(order["clientOrderId"]))
        at = datetime.fromtimestamp(int(trade["time"]) / 1000, UTC)
        side = Side.BUY if trade["isBuyer"] else Side.SELL
        return Execution(symbol, side, at, orders.traded(name, trade))

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
