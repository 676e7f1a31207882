"""Values that facts are made of: exact decimals, instants and the vocabulary of orders."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints, WithJsonSchema

from shared.schemas.canonical import Canonical

DECIMAL_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"
UNSIGNED_PATTERN = r"^[0-9]+(\.[0-9]+)?$"
_POSITIVE_PATTERN = r"^(0*[1-9][0-9]*(\.[0-9]+)?|0+\.[0-9]*[1-9][0-9]*)$"
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _exact(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ValueError(f"{value[:40]!r} is not a decimal number in plain digits")
        number = Decimal(value)
    else:
        raise ValueError(f"{value!r} must be a decimal string, not {type(value).__name__}")
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return number


def plain(number: Decimal) -> str:
    """The number in positional notation, with neither exponent nor rounding."""
    text = str(number)
    return format(number, "f") if "E" in text else text  # formatting takes twice as long, and few numbers need it


def _positive(number: Decimal) -> Decimal:
    if number <= 0:
        raise ValueError(f"{plain(number)} must be above zero")
    return number


def _not_negative(number: Decimal) -> Decimal:
    if number < 0:
        raise ValueError(f"{plain(number)} must not be negative")
    return number.copy_abs()


_AS_STRING = PlainSerializer(plain, return_type=str, when_used="json")
_SCHEMA = WithJsonSchema({"type": "string", "pattern": DECIMAL_PATTERN})
_UNSIGNED = WithJsonSchema({"type": "string", "pattern": UNSIGNED_PATTERN})

Money = Annotated[Decimal, BeforeValidator(_exact), Canonical(DECIMAL_PATTERN, Decimal), _AS_STRING, _SCHEMA]
"""An amount of the quote currency; may be negative (a loss)."""
Price = Annotated[
    Decimal,
    BeforeValidator(_exact),
    AfterValidator(_positive),
    Canonical(_POSITIVE_PATTERN, Decimal),
    _AS_STRING,
    _UNSIGNED,
]
"""Quote currency a unit of the base asset; above zero."""
Quantity = Annotated[
    Decimal,
    BeforeValidator(_exact),
    AfterValidator(_not_negative),
    Canonical(UNSIGNED_PATTERN, Decimal),
    _AS_STRING,
    _UNSIGNED,
]
"""Units of the base asset; zero or more."""
Ratio = Annotated[Decimal, BeforeValidator(_exact), Canonical(DECIMAL_PATTERN, Decimal), _AS_STRING, _SCHEMA]
"""A share of something: 0.01 is one per cent."""


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone; write it in UTC, ending in Z")
    try:
        return instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{instant} lies outside the years 1 to 9999 in UTC") from None


_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))


@lru_cache(maxsize=64)
def _day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def iso(instant: datetime) -> str:
    """ISO-8601 in UTC with microseconds and a trailing Z, for example 2026-01-05T09:30:00.000000Z."""
    # Put together by hand, since every fact holds two to four instants and `isoformat` takes thrice as long.
    at = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    seconds = f"{_day(at.toordinal())}T{_TWO_DIGITS[at.hour]}:{_TWO_DIGITS[at.minute]}:{_TWO_DIGITS[at.second]}"
    micros = at.microsecond
    return f"{seconds}.{micros:06}Z" if micros else f"{seconds}.000000Z"


_WRITTEN_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
Instant = Annotated[
    datetime,
    AfterValidator(_utc),
    Canonical(_WRITTEN_INSTANT, datetime.fromisoformat),
    PlainSerializer(iso, return_type=str, when_used="json"),
]
"""A moment in UTC, microsecond resolution."""

Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9._/-]{0,31}$")]
"""An instrument as its venue writes it, for example BTCUSDT or BTC/USD."""

Identity = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A UUID in its canonical lower-case form."""

ClientOrderId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,36}$")]
"""Our name for an order; 36 characters suit Binance (36) and Alpaca (128)."""

Service = Literal["runner", "risk", "notifier", "recorder"]
SERVICES: tuple[Service, ...] = get_args(Service)
Phase = Literal["data_phase", "strategy_phase", "api_phase"]
Level = Literal["debug", "info", "warning", "error"]
Mode = Literal["dry_run", "testnet", "live"]

STACK = "00000000-0000-0000-0000-000000000000"
"""The session id under which facts about the whole stack are told: a kill of everything, its resumption."""


class Side(StrEnum):
    """Whether an order buys or sells."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        """The side that closes what this one opens."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """What an order waits for: nothing, a price, a trigger, or a trigger and then a price."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"


class TimeInForce(StrEnum):
    """How long an order stands: good till cancelled, immediate or cancel, fill or kill, for the day."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    DAY = "day"
