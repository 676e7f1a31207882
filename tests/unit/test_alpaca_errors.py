"""What each of Alpaca's refusals leaves behind, and what no answer at all does."""

import json
import socket
from datetime import UTC, datetime

import pytest
import requests

from shared.venues.alpaca.errors import Answered, refusal, stream_refusal, unanswered
from shared.venues.trouble import Fate, VenueError

NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def answered(status: int, message: str = "", code: int | None = None, **headers: str) -> VenueError:
    body = {"message": message} | ({} if code is None else {"code": code})
    return refusal(
        Answered(status, {name.replace("_", "-"): told for name, told in headers.items()}, json.dumps(body)), NOW
    )


@pytest.mark.parametrize(
    ("status", "code", "message", "fate"),
    [
        (422, 40010001, "client_order_id must be unique", Fate.UNKNOWN),
        (422, 40010001, "qty or notional is required", Fate.REFUSED),
        (422, 42210000, "fractional orders must be DAY orders", Fate.REFUSED),
        (422, 42210000, 'order is already in "filled" state', Fate.ABSENT),
        (403, 40310000, "insufficient buying power", Fate.REFUSED),
        (403, 40310000, "potential wash trade detected. use complex orders", Fate.REFUSED),
        (403, 40310000, "account is restricted from trading", Fate.FATAL),
        (403, 40310000, "new orders are rejected by user request", Fate.FATAL),
        (403, None, "forbidden.", Fate.FATAL),
        (401, 40110000, "request is not authorized", Fate.FATAL),
        (404, 40410000, "order not found for a", Fate.ABSENT),
        (400, None, "invalid timeframe", Fate.REFUSED),
        (500, 50010000, "internal server error occurred", Fate.UNKNOWN),
        (504, None, "The request timed out", Fate.UNKNOWN),
    ],
)
def test_an_answer_has_its_fate(status: int, code: int | None, message: str, fate: Fate) -> None:
    told = answered(status, message, code)
    assert (told.fate, told.code) == (fate, code)
    assert message in told.reason


@pytest.mark.parametrize(("status", "text"), [(502, "<html>502 Bad Gateway</html>"), (503, ""), (500, "[1]")])
def test_a_server_error_that_is_no_json_leaves_the_order_in_doubt(status: int, text: str) -> None:
    told = refusal(Answered(status, {}, text), NOW)
    assert (told.fate, told.code) == (Fate.UNKNOWN, None)
    assert str(status) in told.reason


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"X_RateLimit_Reset": str(int(NOW.timestamp()) + 12)}, 12.0),
        ({"X_RateLimit_Reset": str(int(NOW.timestamp()) - 5)}, 0.0),
        ({"X_RateLimit_Reset": str(int(NOW.timestamp()) + 9_000)}, 60.0),
        ({}, None),
    ],
)
def test_too_many_requests_wait_as_long_as_the_venue_says(headers: dict[str, str], seconds: float | None) -> None:
    told = answered(429, "rate limit exceeded", 42910000, **headers)
    assert (told.fate, told.retry_after) == (Fate.RETRY, seconds)


def test_where_no_connection_came_about_nothing_has_happened() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as refused:
        requests.post(f"http://127.0.0.1:{port}", timeout=5)
    assert unanswered(refused.value).fate is Fate.RETRY


@pytest.mark.parametrize("error", [requests.ReadTimeout("too late"), requests.ConnectionError("reset by peer")])
def test_without_an_answer_to_what_was_sent_all_is_possible(error: requests.RequestException) -> None:
    assert unanswered(error).fate is Fate.UNKNOWN


def test_a_stream_that_knows_the_key_may_be_had_later() -> None:
    assert stream_refusal("connection limit exceeded", 406).fate is Fate.RETRY
    assert stream_refusal("auth failed", 402).fate is Fate.FATAL
