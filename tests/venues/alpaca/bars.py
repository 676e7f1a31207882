"""The market data over REST: bars in pages, and the latest bar, trade and quote."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from urllib.parse import unquote

from tests.venues.alpaca.calendar import EASTERN
from tests.venues.alpaca.listing import moment, whole
from tests.venues.alpaca.orders import written
from tests.venues.alpaca.refusal import Refusal
from tests.venues.market import Bar, Market

PAGE, LARGEST_PAGE = 1000, 10_000
SPREAD = Decimal("0.01")
UNITS = {"Min": 60, "T": 60, "Hour": 3600, "H": 3600, "Day": 86_400, "D": 86_400}


class DataDesk:
    """The data of one market. `answer` raises `Refusal` where the venue refuses."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def answer(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The JSON for a path that still has its percent signs."""
        one = re.fullmatch(r"/v2/stocks/([^/]+)/bars", path)
        if path == "/v2/stocks/bars" or re.fullmatch(r"/v1beta3/crypto/us/bars", path):
            return self._bars(query)
        if one:
            symbol = unquote(one.group(1))
            page = self._bars({**query, "symbols": symbol})
            return {**page, "bars": page["bars"].get(symbol, []), "symbol": symbol}
        kind = re.fullmatch(r"/v2/stocks/(bars|trades|quotes)/latest", path) or re.fullmatch(
            r"/v1beta3/crypto/us/latest/(bars|trades|quotes)", path
        )
        if kind is None:
            raise Refusal(404, None, "endpoint not found.")
        return {kind.group(1): self._latest(kind.group(1), query)}

    def _bars(self, query: Mapping[str, str]) -> dict[str, Any]:
        self._check_feed(query)
        size = whole(query, "limit", PAGE)
        if not 1 <= size <= LARGEST_PAGE:
            raise _wrong("limit")
        unit = _seconds(query.get("timeframe", ""))
        found = [(symbol, bar) for symbol in _symbols(query) for bar in self._of(symbol, query, unit)]
        tokens = [_token(symbol, bar) for symbol, bar in found]
        token = query.get("page_token")
        if token and token not in tokens:
            raise _wrong("page_token")
        first = tokens.index(token) + 1 if token else 0
        page = found[first : first + size]
        more = first + size < len(found)
        told: dict[str, list[dict[str, Any]]] = {}
        for symbol, bar in page:
            told.setdefault(symbol, []).append(bar_told(bar))
        return {"bars": told, "next_page_token": _token(*page[-1]) if more else None}

    def _of(self, symbol: str, query: Mapping[str, str], unit: int) -> list[Bar]:
        start, end = moment(query, "start"), moment(query, "end")
        bars = [
            bar
            for bar in _merged(self.market.history.get(symbol, []), unit)
            if (start is None or bar.opened >= start) and (end is None or bar.opened <= end)
        ]
        return bars[::-1] if query.get("sort") == "desc" else bars

    def _latest(self, kind: str, query: Mapping[str, str]) -> dict[str, Any]:
        tellers = {"bars": self._last_bar, "trades": self._last_trade, "quotes": self._last_quote}
        told = {symbol: tellers[kind](symbol) for symbol in _symbols(query) if symbol in self.market.last}
        return {symbol: one for symbol, one in told.items() if one is not None}

    def _last_bar(self, symbol: str) -> dict[str, Any] | None:
        history = self.market.history.get(symbol)
        return bar_told(history[-1]) if history else None

    def _last_trade(self, symbol: str) -> dict[str, Any]:
        return trade_told(symbol, self.market.last[symbol], Decimal(1), self.market.now)

    def _last_quote(self, symbol: str) -> dict[str, Any]:
        return quote_told(symbol, self.market.last[symbol], self.market.now)

    def _check_feed(self, query: Mapping[str, str]) -> None:
        end, now = moment(query, "end"), self.market.now
        if query.get("feed") == "sip" and now and (end is None or end > now - timedelta(minutes=15)):
            raise Refusal(403, None, "subscription does not permit querying recent SIP data")


def bar_told(bar: Bar) -> dict[str, Any]:
    """A bar as REST tells it; numbers, not texts."""
    prices = {"o": float(bar.open), "h": float(bar.high), "l": float(bar.low), "c": float(bar.close)}
    middle = float((bar.open + bar.high + bar.low + bar.close) / 4)
    return {"t": written(bar.opened), **prices, "v": _number(bar.volume), "n": bar.trades, "vw": middle}


def trade_told(symbol: str, price: Decimal, qty: Decimal, at: datetime | None) -> dict[str, Any]:
    """A trade as REST tells it; of pairs with the taker's side, of shares with the exchange."""
    common = {"t": written(at), "p": float(price), "s": _number(qty), "i": 1}
    return common | ({"tks": "B"} if "/" in symbol else {"x": "V", "c": ["@"], "z": "C"})


def quote_told(symbol: str, price: Decimal, at: datetime | None) -> dict[str, Any]:
    """A quote a cent around the price."""
    sides = {"ap": float(price + SPREAD), "as": 1, "bp": float(price - SPREAD), "bs": 1}
    told = {"t": written(at), **sides}
    return told if "/" in symbol else told | {"ax": "V", "bx": "V", "c": ["R"], "z": "C"}


def _number(amount: Decimal) -> float:
    return int(amount) if amount == int(amount) else float(amount)


def _symbols(query: Mapping[str, str]) -> list[str]:
    symbols = [symbol for symbol in query.get("symbols", "").split(",") if symbol]
    if not symbols:
        raise Refusal(400, None, "symbols is required")
    return sorted(symbols)


def _seconds(timeframe: str) -> int:
    match = re.fullmatch(r"(\d+)([A-Za-z]+)", timeframe)
    if match is None or match.group(2) not in UNITS or match.group(1) == "0":
        raise _wrong("timeframe")
    return int(match.group(1)) * UNITS[match.group(2)]


def _merged(bars: list[Bar], seconds: int) -> Iterator[Bar]:
    """Longer bars of a minute's; days begin at midnight Eastern time."""

    def opened(bar: Bar) -> datetime:
        if seconds >= UNITS["Day"]:
            return bar.opened.astimezone(EASTERN).replace(hour=0, minute=0, second=0, microsecond=0)
        return bar.opened - timedelta(seconds=bar.opened.timestamp() % seconds)

    for start, group in groupby(bars, opened):
        parts = list(group)
        yield Bar(
            start,
            parts[0].open,
            max(part.high for part in parts),
            min(part.low for part in parts),
            parts[-1].close,
            sum((part.volume for part in parts), Decimal(0)),
            sum(part.trades for part in parts),
            timedelta(seconds=seconds),
        )


def _token(symbol: str, bar: Bar) -> str:
    return f"{symbol}|M|{written(bar.opened)}".encode().hex()


def _wrong(name: str) -> Refusal:
    return Refusal(400, None, f"invalid {name}")
