"""What each of Binance's errors means for the call that met it, read from the venue's own answer."""

import json
from datetime import UTC, datetime

import ccxt
import pytest

from shared.venues.binance.errors import Answer, trouble
from shared.venues.trouble import Fate, VenueError


def refused(status: int, code: int | None, message: str = "", **headers: str) -> VenueError:
    body = json.dumps({"code": code, "msg": message}) if code is not None else "<html>"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return trouble(ccxt.ExchangeError("binance"), Answer(status, named, body))


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (400, -1003, Fate.RETRY),
        (400, -1008, Fate.RETRY),
        (400, -1015, Fate.RETRY),
        (400, -1021, Fate.RETRY),
        (400, -1013, Fate.REFUSED),
        (400, -1100, Fate.REFUSED),
        (400, -2010, Fate.REFUSED),
        (400, -1000, Fate.UNKNOWN),
        (400, -1006, Fate.UNKNOWN),
        (504, -1007, Fate.UNKNOWN),
        (503, -9999, Fate.UNKNOWN),
        (400, -2011, Fate.ABSENT),
        (400, -2013, Fate.ABSENT),
        (400, -2026, Fate.ABSENT),
        (401, -1002, Fate.FATAL),
        (400, -1022, Fate.FATAL),
        (401, -2014, Fate.FATAL),
        (401, -2015, Fate.FATAL),
    ],
)
def test_a_code_says_what_the_failed_call_left_behind(status: int, code: int, fate: Fate) -> None:
    assert refused(status, code).fate is fate


def test_a_duplicate_order_may_be_our_own_that_arrived() -> None:
    assert refused(400, -2010, "Duplicate order sent.").fate is Fate.UNKNOWN


@pytest.mark.parametrize("status", [403, 418, 429])
def test_who_asks_too_much_stays_away_as_long_as_the_venue_asks_for(status: int) -> None:
    error = refused(status, -1003, Retry_After="120")
    assert (error.fate, error.retry_after) == (Fate.RETRY, 120.0)


def test_a_ban_that_names_no_end_lasts_as_long_as_the_shortest() -> None:
    assert refused(418, None).retry_after == 120.0


def test_a_ban_without_a_header_ends_when_its_text_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.clock.now", lambda: datetime.fromtimestamp(1_767_571_200, UTC))
    text = "Way too much request weight used; IP banned until 1767571290000. Please use WebSocket Streams."
    assert refused(418, -1003, text).retry_after == 90.0


def test_without_an_answer_a_call_may_have_been_carried_out() -> None:
    assert trouble(ccxt.NetworkError("binance"), None).fate is Fate.UNKNOWN
