"""When new risk may be taken."""

from datetime import UTC, datetime

import pytest

from services.runner.core.schedule import is_open
from shared.schemas.session import Schedule

OFFICE = Schedule.model_validate(
    {"weekdays": ["mon", "fri"], "start": "09:30", "stop": "16:00", "time_zone": "America/New_York"}
)
NIGHT = Schedule.model_validate({"weekdays": ["mon"], "start": "22:00", "stop": "02:00"})


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (datetime(2026, 1, 5, 14, 29, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 5, 14, 30, tzinfo=UTC), True),
        (datetime(2026, 1, 5, 20, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 1, 5, 21, 0, tzinfo=UTC), False),
        (datetime(2026, 1, 6, 15, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 6, 13, 30, tzinfo=UTC), True),
    ],
)
def test_hours_are_those_of_the_schedules_time_zone_with_its_summer_time(instant: datetime, expected: bool) -> None:
    assert is_open(OFFICE, instant) is expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (datetime(2026, 1, 5, 23, 0, tzinfo=UTC), True),
        (datetime(2026, 1, 6, 1, 59, tzinfo=UTC), True),
        (datetime(2026, 1, 6, 2, 0, tzinfo=UTC), False),
        (datetime(2026, 1, 5, 1, 0, tzinfo=UTC), False),
        (datetime(2026, 1, 6, 23, 0, tzinfo=UTC), False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_on_which_it_began(instant: datetime, expected: bool) -> None:
    assert is_open(NIGHT, instant) is expected


def test_without_hours_the_weekdays_alone_decide() -> None:
    assert is_open(Schedule(), datetime(2026, 1, 4, tzinfo=UTC))
    assert not is_open(Schedule(weekdays=("mon",)), datetime(2026, 1, 4, tzinfo=UTC))
