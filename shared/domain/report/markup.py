"""Text for pages: escaping, numbers with units, instants."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any

MINUS = "\u2212"


def text(value: Any) -> str:
    """`value` safe to stand between tags and in attributes."""
    return escape(str(value), quote=True)


def grouped(number: Decimal | float, digits: int, signed: bool = False) -> str:
    """A number with thin groups of thousands and a true minus sign: 12,345.60."""
    plus = "+" if signed else ""
    return f"{number:{plus},.{digits}f}".replace("-", MINUS)


def money_digits(capital: Decimal) -> int:
    """How many decimals amounts need to be told apart at the size of this capital."""
    if capital >= 1000:
        return 2
    return 4 if capital >= 1 else 8


def trimmed(number: Decimal, digits: int = 8) -> str:
    """A price or quantity with at most `digits` decimals and no trailing zeros."""
    whole = f"{number:,.{digits}f}"
    return whole.rstrip("0").rstrip(".").replace("-", MINUS)


def percentage(share: Decimal | float, digits: int = 2, signed: bool = False) -> str:
    """A share in per cent: 0.01 becomes 1.00 %."""
    return f"{grouped(share * 100, digits, signed)}\u202f%"


def minute(instant: datetime) -> str:
    """An instant to the minute, UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def length(span: timedelta) -> str:
    """A length of time in its two largest units: 3 d 4 h."""
    seconds = int(span.total_seconds())
    sizes = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in sizes:
        count, seconds = divmod(seconds, size)
        if count or (parts and len(parts) < 2):
            parts.append(f"{count}\u202f{unit}" if count else "")
    return " ".join(part for part in parts[:2] if part) or "0\u202fs"


def tone(number: Decimal | float) -> str:
    """The CSS class of a gain, a loss or neither."""
    if number > 0:
        return "gain"
    return "loss" if number < 0 else "even"
