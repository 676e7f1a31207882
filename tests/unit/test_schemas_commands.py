"""Commands: a kill is understood whatever its payload is; what asks for trust must be well-formed."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.schemas.codec import encode
from shared.schemas.commands import Command, Request, printable
from shared.schemas.documents.json_schema import all_schemas
from shared.schemas.guard import Halt, TradingHalted
from shared.schemas.identity import Cause, Facts
from shared.schemas.values import STACK

NOW = datetime(2026, 1, 5, 9, 40, tzinfo=UTC)


def _kill(payload: bytes) -> Command:
    return Command.read("control.kill", payload, 7, NOW)


def _halted_for(reason: str) -> bytes:
    facts = Facts(Cause(STACK, STACK, NOW, NOW, STACK), "risk")
    return encode(facts.tell(TradingHalted, details=Halt(kind="kill", reason=reason)))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "no reason given"),
        (b"  \n ", "no reason given"),
        (b"fat finger", "fat finger"),
        (b'"fat finger"', "fat finger"),
        (b'{"reason": "fat finger", "operator": "anna"}', "fat finger"),
        (b'{"reason": ""}', "no reason given"),
        (b"{}", "no reason given"),
        (b"null", "no reason given"),
        (b"[]", "no reason given"),
        (b"42", "42"),
        (b"two\nlines\x00\x1b[31m", "two lines [31m"),
        (b'"\\ud800"', "no reason given"),
        (b'{"reason": "\\u0000"}', "no reason given"),
        (b"[" * 100_000, "[" * 500),
        (b"9" * 10_000, "9" * 500),
    ],
)
def test_the_reason_of_a_kill_is_read_from_anything(payload: bytes, reason: str) -> None:
    assert _kill(payload).reason() == reason


@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: json.dumps(text).encode()))
def test_no_garbage_keeps_a_kill_from_being_told(payload: bytes) -> None:
    reason = _kill(payload).reason()
    assert reason
    assert len(reason) <= 500
    assert reason.isprintable()
    assert b"trading_halted" in _halted_for(reason)


def test_a_command_is_for_one_session_or_for_all() -> None:
    assert (_kill(b"").name, _kill(b"").session_id) == ("kill", None)
    assert Command.read("control.kill.abc", b"", 7, NOW).session_id == "abc"


def test_a_request_has_a_reason_and_an_operator() -> None:
    request = Command.read("control.resume", b'{"reason":" checked\\n","operator":"anna","totp":"123456"}', 7, NOW)
    assert request.request() == Request(reason="checked", operator="anna", totp="123456")


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        (b"", "reason"),
        (b"garbage", "payload"),
        (b"[1]", "payload"),
        (b'{"reason": "x"}', "operator"),
        (b'{"reason": " ", "operator": "anna"}', "reason"),
        (b'{"reason": "x", "operator": 1}', "operator"),
        (b'{"reason": "x", "operator": "anna", "force": true}', "force"),
        (b'{"reason": "\\ud800", "operator": "anna"}', "payload"),
        (b"\xff", "payload"),
        (b"[" * 100_000, "payload"),
    ],
)
def test_a_request_that_is_none_says_what_to_send(payload: bytes, names: str) -> None:
    told = Command.read("control.resume", payload, 7, NOW).request()
    assert isinstance(told, str)
    assert names in told
    assert 'send {"reason"' in told


def test_the_json_schema_of_a_request_agrees() -> None:
    validator = Draft202012Validator(all_schemas()["request"])
    validator.validate({"reason": "x", "operator": "anna"})
    assert not validator.is_valid({"reason": "x"})


def test_printable_text_is_one_short_line() -> None:
    assert printable(" a\tb\r\n\x07c  d ") == "a b c d"
    assert len(printable("x" * 5000)) == 500
