"""Bars of several minutes, made of the minutes that are streamed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from shared.schemas.market import Candle
from shared.venues.alpaca.minutes import MINUTE, Minutes

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def minute(number: int) -> Candle:
    opened, price = START + number * MINUTE, Decimal(100 + number)
    return Candle("AAPL", opened, opened + MINUTE, price, price + 1, price - 1, price, Decimal(2))


def bars(step: timedelta, *numbers: int) -> list[tuple[int, Decimal]]:
    """The bars that come of these minutes: the minute that each opened in, and its volume."""
    minutes = Minutes(step)
    told = [minutes.add(minute(number)) for number in numbers]
    return [((bar.open_time - START) // MINUTE, bar.volume) for bar in told if bar is not None]


def test_minutes_are_told_as_they_are() -> None:
    assert Minutes(MINUTE).add(minute(3)) == minute(3)


def test_a_bar_is_told_with_its_last_minute() -> None:
    assert bars(3 * MINUTE, *range(7)) == [(0, Decimal(6)), (3, Decimal(6))]


def test_a_bar_with_a_gap_is_left_to_rest_and_the_next_is_told() -> None:
    assert bars(3 * MINUTE, 0, 2, 3, 4, 5) == [(3, Decimal(6))]
    assert bars(3 * MINUTE, 1, 2, 3, 4, 5) == [(3, Decimal(6))]


def test_a_minute_that_comes_again_changes_nothing() -> None:
    assert bars(3 * MINUTE, 0, 1, 1, 2) == [(0, Decimal(6))]
