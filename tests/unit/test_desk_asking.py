"""What a request to the control desk asks the guard for."""

import json

import pytest

from services.risk.desk.core.asking import Asked, asked
from tests.guard_story import SESSION


def payload_of(wanted: Asked | str) -> dict[str, object]:
    assert isinstance(wanted, Asked)
    found: dict[str, object] = json.loads(wanted.payload)
    return found


@pytest.mark.parametrize("name", ["kill", "pause"])
@pytest.mark.parametrize("body", [None, b"", b"{", b"\xff", b"7", b"[]", b'{"session": ["a"]}', b'{"session": "*.>"}'])
def test_a_stop_with_whatever_it_carries_stops_everything(name: str, body: bytes | None) -> None:
    wanted = asked(name, body)
    assert payload_of(wanted) == {"operator": "desk", "reason": "the desk's button"}
    assert isinstance(wanted, Asked)
    assert wanted.session_id is None


def test_a_stop_of_one_session_names_it_as_it_is_written_everywhere() -> None:
    body = json.dumps({"session": SESSION.upper(), "reason": "fat finger", "totp": "123456", "more": 1}).encode()
    wanted = asked("kill", body)
    assert isinstance(wanted, Asked)
    assert wanted.session_id == SESSION
    assert payload_of(wanted) == {"operator": "desk", "reason": "fat finger", "totp": "123456"}


@pytest.mark.parametrize("name", ["resume", "flatten"])
def test_no_reason_is_made_up_for_what_lets_risk_in_or_closes_positions(name: str) -> None:
    assert payload_of(asked(name, b"{{{")) == {"operator": "desk"}


@pytest.mark.parametrize("name", ["resume", "flatten"])
def test_what_is_no_session_is_refused_rather_than_taken_for_all_of_them(name: str) -> None:
    assert "session" in str(asked(name, b'{"reason": "x", "session": "no such"}'))
