"""Values: exact, bounded, and nothing taken for what it is not."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.schemas.market import bar_close, timeframe_of
from shared.schemas.values import (
    ClientOrderId,
    Identity,
    Instant,
    Money,
    Price,
    Quantity,
    Side,
    Symbol,
    iso,
    plain,
)


def _fits(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("value", ["0.1", "92650.00", "-0.5", "0", Decimal("1E-8")])
def test_money_is_an_exact_decimal(value: Any) -> None:
    assert TypeAdapter(Money).validate_python(value) == Decimal(value)


@pytest.mark.parametrize(
    "value", [0.1, 1, True, None, "", " 1", "1 ", "1_000", "1e3", "NaN", "Infinity", "+1", ".5", "1.", "0x1", "１"]
)
def test_nothing_else_is_money(value: Any) -> None:
    assert not _fits(Money, value)


def test_infinity_is_no_money_even_as_a_decimal() -> None:
    assert not _fits(Money, Decimal("Infinity"))
    assert not _fits(Money, Decimal("NaN"))


def test_a_price_is_above_zero_and_a_quantity_is_not_below() -> None:
    assert [_fits(Price, value) for value in ("0.00001", "0", "-1")] == [True, False, False]
    assert [_fits(Quantity, value) for value in ("0.00001", "0", "-1")] == [True, True, False]


def test_a_quantity_of_minus_nothing_is_nothing() -> None:
    assert str(TypeAdapter(Quantity).validate_python(Decimal("-0.00"))) == "0.00"


@pytest.mark.parametrize(("number", "text"), [("1E+3", "1000"), ("1E-8", "0.00000001"), ("1.50", "1.50")])
def test_decimals_are_written_without_exponent_and_without_rounding(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
    assert TypeAdapter(Money).dump_json(Decimal(number)) == f'"{text}"'.encode()


def test_an_instant_is_utc_whatever_zone_it_is_written_in() -> None:
    written = datetime(2026, 1, 5, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    read = TypeAdapter(Instant).validate_python(written)
    assert read == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert read.tzinfo is UTC
    assert iso(written) == "2026-01-05T09:30:00.000000Z"


def test_an_instant_without_zone_or_outside_the_calendar_is_refused() -> None:
    late = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5)))
    assert not _fits(Instant, datetime(2026, 1, 5, 9, 30))  # noqa: DTZ001
    assert not _fits(Instant, late)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Symbol, "BTC/USD", "btcusdt"),
        (Symbol, "BTCUSDT", "BTC USDT"),
        (Symbol, "BRK.B", "BTCUSDT\n"),
        (Identity, "3f0d2c5e-9a41-4c1b-8a77-0d5b6e1f2a90", "3F0D2C5E-9A41-4C1B-8A77-0D5B6E1F2A90"),
        (ClientOrderId, "lt-1_A", "lt.1"),
        (ClientOrderId, "x" * 36, "x" * 37),
    ],
)
def test_names_have_a_form(kind: Any, good: str, bad: str) -> None:
    assert _fits(kind, good)
    assert not _fits(kind, bad)


def test_sides_have_opposites() -> None:
    assert (Side.BUY.opposite, Side.SELL.opposite) == (Side.SELL, Side.BUY)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("1m", 60), ("5m", 300), ("4h", 14400), ("1d", 86400)])
def test_a_timeframe_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert timeframe_of(text) == timedelta(seconds=seconds)
    opens = datetime(2026, 1, 5, tzinfo=UTC)
    assert bar_close(opens, text) - opens == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "0m", "05m", "1.5h", "-1m", "5M", "1w", "²d", "٣m", "9999999999d", "1m "]
)
def test_nothing_else_is_a_timeframe(text: str) -> None:
    with pytest.raises(ValueError, match="for example 5m"):
        timeframe_of(text)
