"""Every type of event has a sample, and neither more nor less than what its schema says is read."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import UndecodableError, UnknownVersionError, decode, encode
from shared.schemas.documents.json_schema import all_schemas, event_schema, version_of
from shared.schemas.generate import ROOT, SCHEMAS
from shared.schemas.subjects import event_subject
from shared.schemas.values import SERVICES
from tests.golden import Place, names, places, replaced, sample

FREE_FORM = ("details", "config", "strategies")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT.*Z")
golden = pytest.mark.parametrize("name", names())
present = pytest.mark.parametrize("name", [f"{name}.v{version_of(name)}" for name in BY_NAME])


def _subject(event: Any, service: str | None = None) -> str:
    """Where the event would lie; a part of the wrong type is no text yet."""
    return event_subject(str(event["session_id"]), str(service or event["service"]), str(event["type"]))


def _refused(event: Any) -> bool:
    try:
        decode(_subject(event), json.dumps(event).encode())
    except UndecodableError:
        return True
    return False


def _text(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_free_form(place: Place) -> bool:
    return place[:3] == FREE_FORM and "params" in place


def test_every_version_of_every_type_of_event_has_a_sample_and_every_sample_a_type() -> None:
    versions = [(name, version) for name in BY_NAME for version in range(1, version_of(name) + 1)]
    assert names() == sorted(f"{name}.v{version}" for name, version in versions)


@present
def test_a_sample_is_decoded_and_encoded_again_to_the_same_bytes(name: str) -> None:
    event = sample(name)
    payload = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
    again = json.loads(encode(decode(_subject(event), payload)))
    assert json.dumps(again) == json.dumps(event)
    assert encode(decode(_subject(event), encode(decode(_subject(event), payload)))) == payload


@golden
def test_the_json_schema_accepts_the_sample_and_nothing_unknown(name: str) -> None:
    event = sample(name)
    validator = Draft202012Validator(json.loads((ROOT / SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))
    validator.validate(event)
    assert not validator.is_valid({**event, "surprise": 1})
    assert not validator.is_valid({key: value for key, value in event.items() if key != "version"})


@golden
def test_an_unknown_field_is_refused_wherever_it_stands(name: str) -> None:
    event = sample(name)
    tables = [place for place, value in places(event) if isinstance(value, dict) and not _is_free_form(place)]
    accepted = [place for place in tables if not _refused(replaced(event, (*place, "surprise"), 1))]
    assert accepted == []


@golden
def test_a_value_of_the_wrong_type_is_refused_wherever_it_stands(name: str) -> None:
    event = sample(name)
    leaves = [place for place, _ in places(event) if place and not _is_free_form(place)]
    accepted = [place for place in leaves if not _refused(replaced(event, place, {"surprise": True}))]
    assert accepted == []


@golden
def test_a_binary_float_is_refused_wherever_an_exact_decimal_belongs(name: str) -> None:
    event = sample(name)
    decimals = [(place, value) for place, value in places(event) if _text(value, DECIMAL) and not _is_free_form(place)]
    accepted = [place for place, value in decimals if not _refused(replaced(event, place, float(value) + 0.5))]
    assert accepted == []


@golden
def test_a_time_without_zone_is_refused(name: str) -> None:
    event = sample(name)
    instants = [(place, value) for place, value in places(event) if _text(value, INSTANT)]
    assert len(instants) >= 2
    accepted = [place for place, value in instants if not _refused(replaced(event, place, value.removesuffix("Z")))]
    assert accepted == []


@golden
def test_every_field_of_the_envelope_must_be_written(name: str) -> None:
    event = sample(name)
    required = event_schema(BY_NAME[event["type"]])["required"]
    assert {"timestamp", "market_time", "session_id", "type", "level", "id", "version", "service"} <= set(required)
    assert [field for field in required if not _refused_without(event, field)] == []


def _refused_without(event: Any, field: str) -> bool:
    rest = {key: value for key, value in event.items() if key != field}
    try:
        decode(_subject(event), json.dumps(rest).encode())
    except UndecodableError:
        return True
    return False


@golden
def test_only_the_services_of_the_catalogue_may_tell_a_fact(name: str) -> None:
    event = sample(name)
    writers = BY_NAME[event["type"]].WRITERS
    may = {service for service in SERVICES if not _refused({**event, "service": service})}
    assert may == writers


@golden
def test_a_fact_is_refused_under_the_subject_of_another(name: str) -> None:
    event = sample(name)
    payload = json.dumps(event).encode()
    others = [
        event_subject("0" * 8 + event["session_id"][8:], event["service"], event["type"]),
        "events.x",
        "control.kill",
    ]
    others += [_subject(event, service) for service in SERVICES if service != event["service"]]
    for subject in others:
        with pytest.raises(UndecodableError):
            decode(subject, payload)


@golden
def test_a_sample_of_any_version_is_read_as_the_present_one(name: str) -> None:
    event = sample(name)
    read = decode(_subject(event), json.dumps(event).encode())
    assert read.version == version_of(event["type"])
    assert (read.id, read.message, read.market_time) == (event["id"], event.get("message"), read.market_time)


@present
def test_a_version_that_is_still_to_come_is_told_from_garbage(name: str) -> None:
    newer = {**sample(name), "version": version_of(sample(name)["type"]) + 1, "surprise": 1}
    with pytest.raises(UnknownVersionError, match="update it"):
        decode(_subject(newer), json.dumps(newer).encode())


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 0},
        {"version": -1},
        {"version": True},
        {"version": 3.0},
        {"version": "3"},
        {"version": None},
        {"version": 3, "type": "order_felt"},
        {"version": 3, "session_id": "0" * 8},
        {"version": 3, "service": "risk"},
        {"version": 10**400},
    ],
)
def test_what_only_looks_like_a_newer_version_is_garbage(changed: dict[str, Any]) -> None:
    event = sample("runner_start.v2")
    with pytest.raises(UndecodableError) as refusal:
        decode(_subject(event), json.dumps({**event, **changed}).encode())
    assert not isinstance(refusal.value, UnknownVersionError) or changed == {"version": 10**400}


def test_every_generated_schema_is_a_valid_draft_2020_12_schema() -> None:
    for schema in all_schemas().values():
        Draft202012Validator.check_schema(schema)
