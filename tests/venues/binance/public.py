"""Requests that need no key: the rules and the market."""

import json
from decimal import Decimal
from typing import Any

from tests.venues.binance import candles
from tests.venues.binance.amounts import ZERO, milliseconds, text
from tests.venues.binance.call import Call
from tests.venues.binance.parameters import needed, whole
from tests.venues.binance.refusal import Refusal
from tests.venues.market import Bar

DEPTH = Decimal(1000)
RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
    {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
    {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
]


def ping(call: Call) -> Any:
    """GET /api/v3/ping."""
    return {}


def time(call: Call) -> Any:
    """GET /api/v3/time."""
    return {"serverTime": call.now}


def system_status(call: Call) -> Any:
    """GET /sapi/v1/system/status."""
    return {"status": 0, "msg": "normal"}


def exchange_info(call: Call) -> Any:
    """GET /api/v3/exchangeInfo."""
    symbols = _asked(call) or list(call.symbols)
    return {
        "timezone": "UTC",
        "serverTime": call.now,
        "rateLimits": RATE_LIMITS,
        "exchangeFilters": [],
        "symbols": [call.symbols[name].info() for name in symbols],
    }


def klines(call: Call) -> Any:
    """GET /api/v3/klines: the bar so far is the last one."""
    symbol, interval = call.symbol(), needed(call.parameters, "interval")
    if interval not in candles.INTERVALS:
        raise Refusal(-1120, "Invalid interval.")
    start, end = whole(call.parameters, "startTime"), whole(call.parameters, "endTime")
    bars = candles.in_interval(call.market.bars(symbol), interval)
    bars = [bar for bar in bars if start is None or milliseconds(bar.opened) >= start]
    bars = [bar for bar in bars if end is None or milliseconds(bar.opened) <= end]
    limit = call.limit(500, 1000)
    return [candles.row(bar) for bar in (bars[-limit:] if start is None else bars[:limit])]


def average_price(call: Call) -> Any:
    """GET /api/v3/avgPrice."""
    closes = [bar.close for bar in call.market.bars(call.symbol())[-5:]] or [_last(call, call.symbol())]
    return {"mins": 5, "price": text(sum(closes, ZERO) / len(closes)), "closeTime": call.market_now}


def depth(call: Call) -> Any:
    """GET /api/v3/depth: one price level on each side."""
    symbol = call.symbol()
    last, qty = _last(call, symbol), _liquidity(call, symbol)
    asks = [[text(last + call.symbols[symbol].tick), text(qty)]]
    return {"lastUpdateId": call.market_now, "bids": [[text(last), text(qty)]], "asks": asks}


def price(call: Call) -> Any:
    """GET /api/v3/ticker/price."""
    return _each(call, lambda symbol: {"symbol": symbol, "price": text(_last(call, symbol))})


def book_ticker(call: Call) -> Any:
    """GET /api/v3/ticker/bookTicker."""
    return _each(call, lambda symbol: _book(call, symbol))


def day_ticker(call: Call) -> Any:
    """GET /api/v3/ticker/24hr."""
    return _each(call, lambda symbol: _day(call, symbol))


def _asked(call: Call) -> list[str]:
    if "symbols" not in call.parameters:
        return [call.symbol()] if "symbol" in call.parameters else []
    names: list[str] = json.loads(call.parameters["symbols"])
    if any(name not in call.symbols for name in names):
        raise Refusal(-1121, "Invalid symbol.")
    return names


def _each(call: Call, told: Any) -> Any:
    if "symbol" in call.parameters:
        return told(call.symbol())
    return [told(name) for name in _asked(call) or call.symbols if name in call.market.last]


def _last(call: Call, symbol: str) -> Decimal:
    return call.market.last.get(symbol, ZERO)


def _liquidity(call: Call, symbol: str) -> Decimal:
    liquidity = call.symbols[symbol].liquidity
    return DEPTH if liquidity is None else liquidity


def _book(call: Call, symbol: str) -> dict[str, Any]:
    qty = text(_liquidity(call, symbol))
    last, tick = _last(call, symbol), call.symbols[symbol].tick
    return {"symbol": symbol, "bidPrice": text(last), "bidQty": qty, "askPrice": text(last + tick), "askQty": qty}


def _day(call: Call, symbol: str) -> dict[str, Any]:
    bars = call.market.bars(symbol)[-1440:]
    first, last = (bars[0].open if bars else ZERO), _last(call, symbol)
    volume = sum((bar.volume for bar in bars), ZERO)
    quote = sum((bar.volume * bar.close for bar in bars), ZERO)
    book = _book(call, symbol)
    return {
        "symbol": symbol,
        "priceChange": text(last - first),
        "priceChangePercent": f"{(last - first) / first * 100 if first else ZERO:.3f}",
        "weightedAvgPrice": text(quote / volume if volume else ZERO),
        "prevClosePrice": text(first),
        "lastPrice": text(last),
        "lastQty": text(bars[-1].volume / 4 if bars else ZERO),
        **{name: book[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")},
        "openPrice": text(first),
        "highPrice": text(_extreme(bars, max)),
        "lowPrice": text(_extreme(bars, min)),
        "volume": text(volume),
        "quoteVolume": text(quote),
        "openTime": milliseconds(bars[0].opened) if bars else 0,
        "closeTime": call.market_now,
        "firstId": 100,
        "lastId": 99 + sum(bar.trades for bar in bars),
        "count": sum(bar.trades for bar in bars),
    }


def _extreme(bars: list[Bar], of: Any) -> Decimal:
    found: Decimal = of((bar.high if of is max else bar.low for bar in bars), default=ZERO)
    return found
