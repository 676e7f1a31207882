"""The market's bars as the venue tells them, in its intervals."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.venues.binance.amounts import ZERO, milliseconds, text
from tests.venues.market import Bar

INTERVALS = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1d": 1440,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_interval(bars: list[Bar], interval: str) -> list[Bar]:
    """The bars, which are of a minute, put together."""
    length = timedelta(minutes=INTERVALS[interval])
    if length == timedelta(minutes=1):
        return bars
    groups: dict[datetime, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(bar.opened - (bar.opened - _EPOCH) % length, []).append(bar)
    return [_together(opened, group, length) for opened, group in groups.items()]


def row(bar: Bar) -> list[Any]:
    """One row of the answer to /klines."""
    quote = bar.volume * _typical(bar)
    return [
        milliseconds(bar.opened),
        text(bar.open),
        text(bar.high),
        text(bar.low),
        text(bar.close),
        text(bar.volume),
        milliseconds(bar.ends) - 1,
        text(quote),
        bar.trades,
        text(bar.volume / 2),
        text(quote / 2),
        "0",
    ]


def message(symbol: str, bar: Bar, interval: str, closed: bool, now: int) -> dict[str, Any]:
    """The stream's message about a bar."""
    quote = bar.volume * _typical(bar)
    return {
        "e": "kline",
        "E": now,
        "s": symbol,
        "k": {
            "t": milliseconds(bar.opened),
            "T": milliseconds(bar.ends) - 1,
            "s": symbol,
            "i": interval,
            "f": 100,
            "L": 99 + bar.trades,
            "o": text(bar.open),
            "c": text(bar.close),
            "h": text(bar.high),
            "l": text(bar.low),
            "v": text(bar.volume),
            "n": bar.trades,
            "x": closed,
            "q": text(quote),
            "V": text(bar.volume / 2),
            "Q": text(quote / 2),
            "B": "0",
        },
    }


def _typical(bar: Bar) -> Decimal:
    return (bar.open + bar.high + bar.low + bar.close) / 4


def _together(opened: datetime, group: list[Bar], length: timedelta) -> Bar:
    return Bar(
        opened,
        group[0].open,
        max(bar.high for bar in group),
        min(bar.low for bar in group),
        group[-1].close,
        sum((bar.volume for bar in group), ZERO),
        sum(bar.trades for bar in group),
        length,
    )
