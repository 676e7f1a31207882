"""Numbers and times as people read them."""

from datetime import datetime
from decimal import Decimal

from shared.schemas.values import Side

_SIGNIFICANT = 8
_LONGEST = 300


def amount(number: Decimal) -> str:
    """A quantity or price: up to eight significant digits, thousands separated, no trailing zeros."""
    places = max(_SIGNIFICANT - 1 - number.adjusted(), 0)
    text = f"{number:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(number: Decimal, currency: str) -> str:
    """An amount of a currency, to the cent: 10,120.44 USDT."""
    return f"{number:,.2f} {currency}"


def fee(number: Decimal, asset: str) -> str:
    """A fee, which may be far below a cent."""
    return f"{amount(number)} {asset}"


def percent(share: Decimal, signed: bool = False) -> str:
    """A share of one as per cent: 2.13 %."""
    return f"{share * 100:{'+' if signed else ''}.2f} %"


def instant(moment: datetime) -> str:
    """A market time in UTC: 2026-01-05 09:40 UTC, with seconds where there are any."""
    return f"{moment:%Y-%m-%d} {clock(moment)} UTC"


def clock(moment: datetime) -> str:
    """The time of day: 09:40, or 09:40:05."""
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def count(number: int, thing: str) -> str:
    """A number of things: no trades, 1 trade, 2 trades."""
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


def past(side: Side) -> str:
    """What was done: bought or sold."""
    return "bought" if side is Side.BUY else "sold"


def brief(text: str) -> str:
    """The text as one line that is not too long for a message."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
