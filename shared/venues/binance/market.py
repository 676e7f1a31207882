"""Binance's market data: trading rules, history by REST, closed candles by stream."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog

from shared.schemas.market import Candle, TradingHours, timeframe_of
from shared.schemas.session import Instrument
from shared.venues.binance import rules
from shared.venues.binance.client import UNREADABLE, Client, told_as_trouble
from shared.venues.binance.errors import INVALID_SYMBOL
from shared.venues.binance.standing import listing
from shared.venues.standing import Listing
from shared.venues.trouble import VenueError

_log = structlog.get_logger("binance")
_PAGE = 1000
"""Candles in one answer, at most."""


class BinanceMarket:
    """The market of some symbols in one timeframe."""

    name = "binance"

    def __init__(self, client: Client, symbols: Sequence[str], timeframe: str) -> None:
        self._client = client
        self._symbols = symbols
        self._timeframe = timeframe
        self._step = timeframe_of(timeframe)

    async def close(self) -> None:
        """End every connection."""
        await self._client.close()

    async def server_time(self) -> datetime:
        """The venue's clock."""
        told = await self._client.asked("publicGetTime")
        with told_as_trouble():
            return datetime.fromtimestamp(int(told["serverTime"]) / 1000, UTC)

    async def trading_hours(self, flat_before: timedelta) -> TradingHours | None:
        """None: Binance trades around the clock."""
        return None

    async def listings(self) -> Mapping[str, Listing]:
        """Each symbol as the venue offers it; one that it does not know is left out."""
        try:
            return await self._listed(self._symbols)
        except VenueError as error:
            if error.code != INVALID_SYMBOL:
                raise
        return await self._listed_singly()

    async def _listed_singly(self) -> Mapping[str, Listing]:
        """One symbol that the venue does not know makes it refuse all: those that it does know are asked for alone."""
        found: dict[str, Listing] = {}
        for symbol in self._symbols:
            try:
                found |= await self._listed([symbol])
            except VenueError as error:
                if error.code != INVALID_SYMBOL:
                    raise
        return found

    async def _listed(self, symbols: Sequence[str]) -> Mapping[str, Listing]:
        told = await self._exchange_info(symbols)
        with told_as_trouble():
            return {each["symbol"]: listing(each) for each in told["symbols"]}

    async def _exchange_info(self, symbols: Sequence[str]) -> Mapping[str, Any]:
        told: Mapping[str, Any] = await self._client.asked("publicGetExchangeInfo", symbols=_json(symbols))
        with told_as_trouble():
            self._client.budget.limit = rules.weight_limit(told) or self._client.budget.limit
        return told

    async def instruments(self) -> Mapping[str, Instrument]:
        """The trading rules of each symbol."""
        told = await self._exchange_info(self._symbols)
        with told_as_trouble():
            found = {each["symbol"]: each for each in told["symbols"]}
            return {symbol: rules.instrument(found[symbol]) for symbol in self._symbols}

    async def history(self, symbol: str, start: datetime, end: datetime) -> Sequence[Candle]:
        """The candles that opened from `start` on and closed by `end`, oldest first."""
        found: list[Candle] = []
        while start < end:
            rows = await self._client.asked(
                "publicGetKlines",
                symbol=symbol,
                interval=self._timeframe,
                startTime=_millis(start),
                endTime=_millis(end) - 1,
                limit=_PAGE,
            )
            with told_as_trouble():
                page = [_candle(symbol, row, self._step) for row in rows]
            found += [candle for candle in page if candle.close_time <= end]
            if len(page) < _PAGE:
                break
            start = page[-1].close_time
        return found

    async def follow(self, heard: Callable[[Candle], None], alive: Callable[[], None]) -> None:
        """Pass on candles as they close until the connection ends in a VenueError; `alive` on every message."""

        def told(message: Mapping[str, Any]) -> None:
            alive()
            try:
                bar = message["k"]
                if bar["x"]:
                    row = (bar["t"], bar["o"], bar["h"], bar["l"], bar["c"], bar["v"])
                    heard(_candle(bar["s"], row, self._step))
            except UNREADABLE as error:  # REST tells the bar, as it does for one that the stream leaves out
                _log.warning("a candle that can't be read", reason=repr(error))

        self._client.on_candle = told
        async with self._client.followed("the market's stream"):
            await self._client.load_markets()
            names = [[self._client.safe_symbol(symbol), self._timeframe] for symbol in self._symbols]
            while True:
                await self._client.watch_ohlcv_for_symbols(names)


def _json(symbols: Sequence[str]) -> str:
    return "[" + ",".join(f'"{symbol}"' for symbol in symbols) + "]"


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _candle(symbol: str, row: Sequence[Any], step: timedelta) -> Candle:
    opened = datetime.fromtimestamp(int(row[0]) / 1000, UTC)
    return Candle(
        symbol=symbol,
        open_time=opened,
        close_time=opened + step,
        open=Decimal(row[1]),
        high=Decimal(row[2]),
        low=Decimal(row[3]),
        close=Decimal(row[4]),
        volume=Decimal(row[5]),
    )
