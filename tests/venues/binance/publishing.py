"""Who is connected, and what they are told: the market to the one, their own account to the other."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.venues.binance import candles
from tests.venues.binance.account import Account
from tests.venues.binance.amounts import milliseconds, text
from tests.venues.binance.call import Call
from tests.venues.binance.public import book_ticker, day_ticker
from tests.venues.binance.venue import Venue
from tests.venues.channel import Channel
from tests.venues.market import Bar, Price


@dataclass(eq=False)
class Listener:
    """A market stream connection: which streams it wants, and whether each message names its stream."""

    channel: Channel
    combined: bool
    streams: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Subscriber:
    """A subscription to an account's events on a connection to the WebSocket API."""

    channel: Channel
    account: Account
    id: int


class Connection(Protocol):
    """A connection to the WebSocket API."""

    channel: Channel

    async def unsubscribe(self, id_: int | None = None) -> None:
        """End its subscriptions and say so."""


class Publishing:
    """Tests may look at `listeners` and `subscribers` to know who is connected.

    Events that a request leads to are sent before its answer, or `delay` seconds after it where that is not zero: at
    the venue either may come first.
    """

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.listeners: list[Listener] = []
        self.subscribers: list[Subscriber] = []
        self.connections: list[Connection] = []
        self.delay = 0.0
        self._trades = 0
        self._one_at_a_time = asyncio.Lock()
        self._later: set[asyncio.Task[None]] = set()
        venue.market.subscribe(self._on_price, self._on_bar)

    def channels(self) -> list[Channel]:
        """Every connection there is."""
        return [found.channel for found in self.listeners] + [found.channel for found in self.connections]

    async def publish(self) -> None:
        """Tell each account's subscribers what has happened to it, in that order."""
        async with self._one_at_a_time:
            for account in self.venue.accounts.values():
                telling = account.exchange.telling
                told, telling.events = telling.events, []
                for event in told:
                    await self.tell_account(account, event)

    async def publish_after_request(self) -> None:
        """The same, or soon where there is a delay."""
        if not self.delay:
            return await self.publish()
        task = asyncio.get_running_loop().create_task(self._publish_later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def forget(self) -> None:
        """Never tell what is still to be told."""
        for task in self._later:
            task.cancel()

    async def _publish_later(self) -> None:
        await asyncio.sleep(self.delay)
        await self.publish()

    async def tell_account(self, account: Account, event: dict[str, Any]) -> None:
        """Tell an account's subscribers of one event."""
        for subscriber in [found for found in self.subscribers if found.account is account]:
            await subscriber.channel.tell(event["e"], {"subscriptionId": subscriber.id, "event": event})

    async def tell_stream(self, stream: str, kind: str, message: dict[str, Any]) -> None:
        """Tell everyone who listens to a market stream."""
        for listener in [found for found in self.listeners if stream in found.streams]:
            told = {"stream": stream, "data": message} if listener.combined else message
            await listener.channel.tell(kind, told)

    async def _on_price(self, price: Price) -> None:
        self._trades += 1
        now, lower = self.venue.clock(), price.symbol.lower()
        trade = {
            "e": "trade",
            "E": now,
            "s": price.symbol,
            "t": self._trades,
            "p": text(price.price),
            "q": text(price.qty),
            "T": milliseconds(price.at),
            "m": False,
            "M": True,
        }
        await self.tell_stream(f"{lower}@trade", "trade", trade)
        await self._tell_tickers(price.symbol, now)
        for account in self.venue.accounts.values():
            account.exchange.on_price(price)
        await self.publish()

    async def _on_bar(self, symbol: str, bar: Bar, closed: bool) -> None:
        bars, now = self.venue.market.bars(symbol), self.venue.clock()
        wanted = {stream for listener in self.listeners for stream in listener.streams}
        for interval in candles.INTERVALS:
            stream = f"{symbol.lower()}@kline_{interval}"
            if stream in wanted:
                longer = candles.in_interval(bars, interval)[-1]
                done = closed and bar.ends == longer.opened + longer.length
                await self.tell_stream(stream, "kline", candles.message(symbol, longer, interval, done, now))

    async def _tell_tickers(self, symbol: str, now: int) -> None:
        call = Call({"symbol": symbol}, now, self.venue.market, self.venue.symbols)
        book, day = book_ticker(call), day_ticker(call)
        await self.tell_stream(f"{symbol.lower()}@bookTicker", "bookTicker", _book(book, self._trades))
        await self.tell_stream(f"{symbol.lower()}@miniTicker", "24hrMiniTicker", _mini(day, now))
        await self.tell_stream(f"{symbol.lower()}@ticker", "24hrTicker", _day(day, now))


def _book(told: dict[str, Any], update: int) -> dict[str, Any]:
    return {
        "u": update,
        "s": told["symbol"],
        "b": told["bidPrice"],
        "B": told["bidQty"],
        "a": told["askPrice"],
        "A": told["askQty"],
    }


def _mini(told: dict[str, Any], now: int) -> dict[str, Any]:
    return {
        "e": "24hrMiniTicker",
        "E": now,
        "s": told["symbol"],
        "c": told["lastPrice"],
        "o": told["openPrice"],
        "h": told["highPrice"],
        "l": told["lowPrice"],
        "v": told["volume"],
        "q": told["quoteVolume"],
    }


def _day(told: dict[str, Any], now: int) -> dict[str, Any]:
    more = {
        "p": told["priceChange"],
        "P": told["priceChangePercent"],
        "w": told["weightedAvgPrice"],
        "x": told["prevClosePrice"],
        "Q": told["lastQty"],
        "b": told["bidPrice"],
        "B": told["bidQty"],
        "a": told["askPrice"],
        "A": told["askQty"],
        "O": told["openTime"],
        "C": told["closeTime"],
        "F": told["firstId"],
        "L": told["lastId"],
        "n": told["count"],
    }
    return _mini(told, now) | {"e": "24hrTicker"} | more
