"""How a price is taken to travel within one candle."""

from datetime import timedelta
from decimal import Decimal

import pytest

from shared.venues.paper.path import first_reaching, path_of, point_at, position_at
from tests.venues.paper_orders import START, bar


def corners(prices: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(price) for price in prices.split())


@pytest.mark.parametrize(
    ("candle", "path"),
    [("100 104 98 102", "100 98 104 102"), ("102 104 98 100", "102 104 98 100"), ("100 104 98 100", "100 98 104 100")],
    ids=["a rising bar falls first", "a falling bar rises first", "a bar that closes where it opened falls first"],
)
def test_goes_against_the_bars_direction_first(candle: str, path: str) -> None:
    assert path_of(bar(candle)) == corners(path)


@pytest.mark.parametrize(("seconds", "position"), [(-5, "0"), (0, "0"), (20, "1"), (30, "1.5"), (60, "3"), (80, "4")])
def test_spends_a_third_of_the_time_on_each_segment(seconds: int, position: str) -> None:
    assert position_at(bar("100 104 98 102"), START + timedelta(seconds=seconds)) == Decimal(position)


def test_moves_in_a_straight_line_between_corners() -> None:
    assert point_at(path_of(bar("100 104 98 102")), Decimal("1.5")).price == 101


def test_a_level_passed_already_is_reached_where_the_path_is() -> None:
    path = path_of(bar("100 104 98 102"))
    here = point_at(path, Decimal(0))
    assert first_reaching(path, here, Decimal(99), direction=1) is here


def test_a_level_ahead_is_reached_at_exactly_its_price() -> None:
    path = path_of(bar("100 104 98 102"))
    reached = first_reaching(path, point_at(path, Decimal(0)), Decimal(101), direction=1)
    assert reached is not None
    assert (reached.position, reached.price) == (Decimal("1.5"), Decimal(101))


def test_a_level_that_the_path_passed_before_is_not_reached_again() -> None:
    path = path_of(bar("100 104 98 102"))
    after_the_low = point_at(path, Decimal("1.5"))
    assert first_reaching(path, after_the_low, Decimal(99), direction=-1) is None


def test_a_level_beyond_the_end_is_not_reached() -> None:
    path = path_of(bar("100 104 98 102"))
    assert first_reaching(path, point_at(path, Decimal(0)), Decimal(101), direction=1, until=Decimal("1.5")) is None
