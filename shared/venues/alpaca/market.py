"""Alpaca's market data: trading rules, history by REST, closed bars by stream, which tells those of the minute.

Stocks are those of the IEX exchange, which every account may have. Bars outside the regular hours are left out unless
they are asked for, and a minute in which nothing was traded has no bar at all.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import structlog

from shared.runtime.companions import accompanied
from shared.schemas.market import Candle, TradingHours
from shared.schemas.session import Instrument
from shared.schemas.values import iso
from shared.venues.alpaca import rules, streams
from shared.venues.alpaca.calendar import Calendar
from shared.venues.alpaca.client import UNREADABLE, Client, told_as_trouble
from shared.venues.alpaca.errors import NAME
from shared.venues.alpaca.hours import Hours
from shared.venues.alpaca.minutes import MINUTE, Minutes, step_of
from shared.venues.alpaca.standing import listing
from shared.venues.alpaca.symbols import is_pair
from shared.venues.standing import Listing
from shared.venues.trouble import Fate, VenueError

_HOUR = timedelta(hours=1)
_FEED = "iex"
_PAGE = 10_000
"""Bars in one answer, at most."""
_SIGN_OF_LIFE_SECONDS = 30.0
_log = structlog.get_logger(NAME)


class AlpacaMarket:
    """The market of some symbols in one timeframe."""

    name = NAME

    def __init__(self, client: Client, symbols: Sequence[str], timeframe: str, *, extended: bool = False) -> None:
        self._extended = extended
        self._step = step_of(timeframe)
        self._client = client
        self._pairs = [symbol for symbol in symbols if is_pair(symbol)]
        self._stocks = [symbol for symbol in symbols if not is_pair(symbol)]
        self._calendar = Calendar(client)

    async def close(self) -> None:
        """End every connection."""
        await self._client.close()

    async def instruments(self) -> Mapping[str, Instrument]:
        """The trading rules of each symbol; VenueError for one that is not traded."""
        symbols = [*self._stocks, *self._pairs]
        assets = await asyncio.gather(*(self._asset(symbol) for symbol in symbols))
        last = await self._last_prices()
        with told_as_trouble():
            for asset in assets:
                rules.check_tradable(asset)
            found = {asset["symbol"]: rules.instrument(asset, last.get(asset["symbol"])) for asset in assets}
            return {symbol: found[symbol] for symbol in symbols}

    async def trading_hours(self, flat_before: timedelta) -> TradingHours | None:
        """How the stocks' exchange stands by Alpaca's clock and calendar; None where all symbols are pairs."""
        if not self._stocks:
            return None
        hours, now = await self._calendar.hours(), await self._calendar.now()
        standing, until = hours.standing_at(now, flat_before, extended=self._extended)
        return TradingHours(symbols=tuple(self._stocks), standing=standing, until=until)

    async def server_time(self) -> datetime:
        """The venue's clock."""
        told = await self._client.trading("GET", "/clock")
        with told_as_trouble():
            return datetime.fromisoformat(told["timestamp"])

    async def listings(self) -> Mapping[str, Listing]:
        """Each symbol as the venue offers it now; those that it does not know are left out."""
        symbols = [*self._stocks, *self._pairs]
        found = await asyncio.gather(*(self._known(symbol) for symbol in symbols))
        with told_as_trouble():
            return {asset["symbol"]: listing(asset) for asset in found if asset is not None}

    async def _known(self, symbol: str) -> Mapping[str, Any] | None:
        try:
            return await self._asset(symbol)
        except VenueError as error:
            if error.fate is Fate.ABSENT:
                return None
            raise

    async def history(self, symbol: str, start: datetime, end: datetime) -> Sequence[Candle]:
        """The candles that opened from `start` on and closed by `end`, oldest first."""
        hours = None if is_pair(symbol) else self._told_in(await self._calendar.hours_between(start, end))
        if hours is not None and not hours.touch(start, end):
            return ()
        timeframe = "1Hour" if self._step == _HOUR else f"{self._step // MINUTE}Min"
        asked = {"symbols": symbol, "timeframe": timeframe, "start": iso(start), "end": iso(end), "limit": _PAGE}
        found: list[Candle] = []
        while True:
            page = await self._page(symbol, asked)
            with told_as_trouble():
                bars = page["bars"].get(symbol, ())
                found += [_candle(symbol, bar, datetime.fromisoformat(bar["t"]), self._step) for bar in bars]
            if not page.get("next_page_token"):
                return [each for each in found if each.close_time <= end and _counts(each, hours)]
            asked["page_token"] = page["next_page_token"]

    async def follow(self, heard: Callable[[Candle], None], alive: Callable[[], None]) -> None:
        """Pass on candles as they close until a connection ends in a VenueError.

        `alive` on every message, and as long as there is nothing to say because no symbol is traded.
        """
        told = self._telling(heard)
        if self._stocks:
            await self._calendar.hours()
        following = [
            streams.follow(streams.Bars(self._client.access, path, symbols, told, alive), "the market's stream")
            for path, symbols in self._streamed()
        ]
        keeping = [self._keep_hours(alive)] if self._stocks else []
        await accompanied(*following, *keeping)

    def _telling(self, heard: Callable[[Candle], None]) -> streams.Heard:
        """Makes candles of the bars that are streamed."""
        minutes = {symbol: Minutes(self._step) for symbol in (*self._stocks, *self._pairs)}

        def told(bar: Mapping[str, Any]) -> None:
            try:
                series, minute = minutes[bar["S"]], _candle(bar["S"], bar, bar["t"].to_datetime(), MINUTE)
            except UNREADABLE as error:  # REST tells the bar, as it does for one that the stream leaves out
                _log.warning("a candle that can't be read", reason=repr(error))
                return
            if not _counts(minute, None if is_pair(minute.symbol) else self._told_in(self._calendar.known)):
                return
            whole = series.add(minute)
            if whole is not None:
                heard(whole)

        return told

    def _streamed(self) -> Sequence[tuple[str, Sequence[str]]]:
        both = ((f"/v2/{_FEED}", self._stocks), ("/v1beta3/crypto/us", self._pairs))
        return [(path, symbols) for path, symbols in both if symbols]

    def _told_in(self, hours: Hours) -> Hours:
        """The hours in which bars count."""
        return hours.at_length if self._extended else hours

    async def _keep_hours(self, alive: Callable[[], None]) -> None:
        """Know the hours of the days to come; a stream that has nothing to say because all is closed is alive."""
        while True:
            try:
                is_open = self._told_in(await self._calendar.hours()).open_at(await self._calendar.now())
            except VenueError as error:
                _log.warning("the exchange's hours can't be had, those known hold", reason=str(error))
            else:
                if not is_open and not self._pairs:
                    alive()
            await asyncio.sleep(_SIGN_OF_LIFE_SECONDS)

    async def _asset(self, symbol: str) -> Mapping[str, Any]:
        asset: Mapping[str, Any] = await self._client.trading("GET", f"/assets/{quote(symbol, safe='')}")
        return asset

    async def _last_prices(self) -> Mapping[str, Decimal]:
        if not self._stocks:
            return {}
        asked = {"symbols": ",".join(self._stocks), "feed": _FEED}
        told = await self._client.data("v2", "/stocks/trades/latest", asked)
        with told_as_trouble():
            trades = told["trades"]
            return {symbol: Decimal(trades[symbol]["p"]) for symbol in self._stocks if symbol in trades}

    async def _page(self, symbol: str, asked: Mapping[str, Any]) -> Any:
        if is_pair(symbol):
            return await self._client.data("v1beta3", "/crypto/us/bars", asked)
        return await self._client.data("v2", "/stocks/bars", {**asked, "feed": _FEED, "adjustment": "split"})


def _counts(candle: Candle, hours: Hours | None) -> bool:
    return hours is None or hours.touch(candle.open_time, candle.close_time)


def _candle(symbol: str, bar: Mapping[str, Any], opened: datetime, step: timedelta) -> Candle:
    """A bar; the streams' numbers are binary, of which the shortest text is what was written."""
    return Candle(
        symbol=symbol,
        open_time=opened,
        close_time=opened + step,
        open=Decimal(str(bar["o"])),
        high=Decimal(str(bar["h"])),
        low=Decimal(str(bar["l"])),
        close=Decimal(str(bar["c"])),
        volume=Decimal(str(bar["v"])),
    )
