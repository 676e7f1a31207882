"""When stocks trade, by Alpaca's calendar."""

from datetime import UTC, datetime, timedelta

from shared.venues.alpaca.hours import Hours, hours_of

MINUTE = timedelta(minutes=1)


def day(date: str, opens: str = "09:30", closes: str = "16:00") -> dict[str, str]:
    return {"date": date, "open": opens, "close": closes, "settlement_date": date}


def utc(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def hours() -> Hours:
    """Around Thanksgiving: closed on the Thursday, half a day on the Friday."""
    return hours_of([day("2026-11-25"), day("2026-11-27", closes="13:00"), day("2026-11-30")])


def test_half_a_day_closes_three_hours_earlier_and_so_does_what_goes_before_it() -> None:
    ahead, friday = timedelta(minutes=15), utc(27, 18)
    moments = (utc(26, 15), utc(27, 17, 44), utc(27, 17, 45), utc(27, 18))
    assert [hours().standing_at(at, ahead) for at in moments] == [
        ("closed", utc(27, 14, 30)),
        ("open", friday),
        ("closing", friday),
        ("closed", utc(30, 14, 30)),
    ]
    assert hours().standing_at(utc(30, 22), ahead) == ("closed", None)


def test_extended_hours_count_for_who_trades_in_them() -> None:
    day_of_both = {**day("2026-11-30"), "session_open": "0400", "session_close": "2000"}
    monday, none = hours_of([day_of_both]), timedelta(0)
    moments = (utc(30, 8), utc(30, 9), utc(30, 15), utc(30, 21), utc(30, 23))
    assert [monday.standing_at(at, none, extended=True) for at in moments] == [
        ("closed", utc(30, 9)),
        ("extended", utc(30, 14, 30)),
        ("open", utc(30, 21)),
        ("extended", utc(1, 1, month=12)),
        ("extended", utc(1, 1, month=12)),
    ]
    assert monday.standing_at(utc(30, 9), none)[0] == "closed"


def test_the_first_minute_counts_and_the_close_does_not() -> None:
    open_at = hours().open_at
    assert [open_at(utc(25, 14, 29)), open_at(utc(25, 14, 30)), open_at(utc(25, 20, 59)), open_at(utc(25, 21))] == [
        False,
        True,
        True,
        False,
    ]


def test_a_holiday_is_closed_and_a_half_day_ends_early() -> None:
    assert not hours().open_at(utc(26, 16))
    assert hours().open_at(utc(27, 17, 59))
    assert not hours().open_at(utc(27, 18))


def test_the_next_opening_passes_over_holidays_and_weekends() -> None:
    assert hours().next_open(utc(25, 21)) == utc(27, 14, 30)
    assert hours().next_open(utc(27, 18)) == utc(30, 14, 30)
    assert hours().next_open(utc(30, 21)) is None


def test_the_same_time_of_day_is_another_moment_in_summer() -> None:
    told = hours_of([day("2026-03-06"), day("2026-03-09")])
    assert told.next_open(utc(6, 0, month=3)) == utc(6, 14, 30, month=3)
    assert told.next_open(utc(7, 0, month=3)) == utc(9, 13, 30, month=3)


def test_a_bar_counts_where_a_part_of_it_lies_within_the_hours() -> None:
    before, first, after = utc(25, 14, 29), utc(25, 14, 30), utc(25, 21)
    assert [hours().touch(at, at + MINUTE) for at in (before, first, after)] == [False, True, False]
