"""One field of a candle file: its value, or the reason why it has none."""

import re
from datetime import UTC, datetime
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?").fullmatch
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._/-]{0,31}").fullmatch


class ValueRefused(ValueError):
    """A field that no candle can be made of; the message is the reason."""


def number(text: str) -> Decimal:
    """The number exactly as written; ValueRefused for anything else, NaN and infinity included."""
    if _NUMBER(text) is None:
        raise ValueRefused(f"{text!r} is not a number" if text else "a number is missing")
    return Decimal(text)


def volume(text: str) -> Decimal:
    """A volume, zero or more."""
    value = number(text)
    if text[0] == "-" and value:
        raise ValueRefused(f"volume {text} is negative")
    return value


def instant(text: str) -> datetime:
    """A moment in UTC from ISO-8601 with a time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueRefused(f"{text!r} is not an ISO-8601 time, for example 2026-01-05T09:30:00Z") from None
    if moment.tzinfo is None:
        raise ValueRefused(f"time {text!r} has no time zone; write it in UTC, ending in Z")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def symbol(text: str) -> str:
    """An instrument's name: capital letters, digits and . _ / -."""
    if _SYMBOL(text) is None:
        raise ValueRefused(f"{text!r} is not a symbol, for example BTCUSDT or BTC/USD")
    return text


class Prices(dict[str, Decimal]):
    """Prices by their text, each parsed once: a market visits the same prices again and again."""

    def __missing__(self, text: str) -> Decimal:
        """Parse a price that was not seen yet; ValueRefused unless it is above zero."""
        price = number(text)
        if text[0] == "-" or not price:
            raise ValueRefused(f"price {text} is not above zero")
        self[text] = price
        return price


def require_range(open_: Decimal, high: Decimal, low: Decimal, close: Decimal) -> None:
    """A bar's open and close lie between its low and its high; ValueRefused otherwise."""
    if low > high:
        raise ValueRefused(f"high {high} is below low {low}")
    for name, price in (("open", open_), ("close", close)):
        if not low <= price <= high:
            raise ValueRefused(f"{name} {price} is outside the range from low {low} to high {high}")
