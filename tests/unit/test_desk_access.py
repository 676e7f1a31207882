"""Whom the control desk lets in."""

import pytest

from services.risk.desk.core.access import (
    TRIES,
    TRIES_OF_ALL,
    WINDOW_SECONDS,
    Attempts,
    bearer,
    host_allowed,
    origin_allowed,
    same,
)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "LOCALHOST:80"])
def test_without_a_token_loopbacks_own_names_are_served(host: str) -> None:
    assert host_allowed(host, has_token=False)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::1", "10.0.0.1"]
)
def test_a_name_rebound_to_loopback_is_refused(host: str) -> None:
    assert not host_allowed(host, has_token=False)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1:8080", True),
        ("https://127.0.0.1:8080", True),
        ("http://127.0.0.1:8081", False),
        ("http://evil.example", False),
        ("null", False),
        ("http://[127.0.0.1:8080", False),
        ("file://127.0.0.1:8080", False),
    ],
)
def test_only_the_desks_own_pages_may_ask(origin: str | None, allowed: bool) -> None:
    assert origin_allowed(origin, "127.0.0.1:8080") is allowed


def test_wrong_tokens_are_counted_by_address_and_forgotten_after_the_window() -> None:
    attempts = Attempts()
    for number in range(TRIES):
        assert attempts.wait("a", number) == 0
        attempts = attempts.failed("a", number)
    assert attempts.wait("a", TRIES) == WINDOW_SECONDS - TRIES
    assert attempts.wait("b", TRIES) == 0
    assert attempts.wait("a", WINDOW_SECONDS + 0.5) == 0


def test_many_addresses_together_are_slowed_down_too() -> None:
    attempts = Attempts()
    for number in range(TRIES_OF_ALL):
        attempts = attempts.failed(f"address {number}", 1.0)
    assert attempts.wait("a fresh one", 2.0) > 0


def test_a_bearer_token_is_read_and_compared_whole() -> None:
    assert bearer("Bearer s3cret") == "s3cret"
    assert bearer("Basic s3cret") is bearer(None) is bearer("Bearer ") is None
    assert same("sécret", "sécret")
    assert not same("s3cre", "s3cret")
