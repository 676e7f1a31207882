"""The quick way of reading: it takes what is written by us, and never decides otherwise than the careful way."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import UndecodableError, decode, decode_as, decode_line, encode, subject_of
from shared.schemas.envelope import Event
from shared.schemas.values import Instant, Money, Price, Quantity, Ratio, iso, plain
from tests.golden import names, places, replaced, sample
from tests.property.test_codec import events, instants, json_values

clocks = st.from_regex(r"\A[0-2][0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?\Z")
offsets = st.from_regex(r"\A(Z|z|[+-][0-9]{2}(:?[0-9]{2})?| UTC)?\Z")
days = st.dates().map(str) | st.from_regex(r"\A[0-9]{4}-?[0-1][0-9]-?[0-3][0-9]\Z")
timestamps = st.builds("{}{}{}{}".format, days, st.sampled_from("TTTTt _"), clocks, offsets)
written = st.builds("{}T{}.{:06}Z".format, days, st.from_regex(r"\A[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\Z"), st.integers(0))
numbers = st.from_regex(r"\A[-+]?0{0,2}[0-9]{0,20}(\.[0-9]{0,20})?([eE]-?[0-9])?\Z") | st.decimals().map(str)
rounded = st.from_regex(r"\A-?[0-9]{0,20}(\.[0-9]{0,20})?0([eE]-?[0-9]?0)?\Z").map(Decimal)
marred = st.sampled_from(["{}", "{}", "{}", " {}", "{}\n", "{}\x00", "{}٣"])
BOTH_WAYS: dict[Any, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (Instant, Money, Price, Quantity, Ratio)}


def _is_current(name: str) -> bool:
    kind, _, version = name.rpartition(".v")
    return bool(BY_NAME[kind].model_fields["version"].default == int(version))


def _read(kind: Any, text: str, strict: bool | None) -> Any:
    """What the text is read as; None where it is refused."""
    try:
        return BOTH_WAYS[kind].validate_json(json.dumps(text), strict=strict)
    except ValidationError:
        return None


def _same(kind: Any, text: str) -> None:
    quick, careful = _read(kind, text, True), _read(kind, text, None)
    assert quick is None or (repr(quick), type(quick)) == (repr(careful), type(careful))


@given(marred, timestamps | written)
def test_an_instant_that_is_read_quickly_is_the_one_that_is_read_carefully(form: str, text: str) -> None:
    _same(Instant, form.format(text))


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T24:00:00.000000Z",
        "2026-01-05T23:59:60.000000Z",
        "2026-02-29T00:00:00.000000Z",
        "0000-01-01T00:00:00.000000Z",
        "0001-01-01T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z",
        "1500-01-01T00:00:00.000000Z",
        "２026-01-05T09:30:00.000000Z",
    ],
)
def test_instants_at_the_edges_are_read_alike(text: str) -> None:
    _same(Instant, text)


@given(st.sampled_from([Money, Price, Quantity, Ratio]), marred, numbers)
def test_a_number_that_is_read_quickly_is_the_one_that_is_read_carefully(kind: Any, form: str, text: str) -> None:
    _same(kind, form.format(text))


@pytest.mark.parametrize("text", ["0", "0.0", "00", "-0", "-0.0", "-1", "007.50", "0.00000001", "1e3", "1_0", "NaN"])
@pytest.mark.parametrize("kind", [Money, Price, Quantity, Ratio])
def test_numbers_at_the_edges_are_read_alike(kind: Any, text: str) -> None:
    _same(kind, text)


@given(instants)
def test_an_instant_as_we_write_it_is_read_quickly(instant: datetime) -> None:
    read = _read(Instant, iso(instant), True)
    assert read == instant
    assert read.tzinfo is UTC


@given(st.datetimes(timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))))
def test_an_instant_is_written_as_python_writes_it(instant: datetime) -> None:
    try:
        expected = instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return
    assert iso(instant) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False) | rounded)
def test_a_number_is_written_as_python_writes_it(number: Decimal) -> None:
    assert plain(number) == format(number, "f")


@given(events)
def test_a_fact_as_we_write_it_is_read_quickly(event: Event) -> None:
    kind = type(event)
    assert kind.model_validate_json(encode(event), strict=True) == event


@pytest.mark.parametrize(
    "name", [name for name in names() if not name.startswith("runner_start") and _is_current(name)]
)
def test_every_type_of_fact_is_read_quickly(name: str) -> None:
    tree = sample(name)
    event = BY_NAME[tree["type"]].model_validate_json(json.dumps(tree))
    assert type(event).model_validate_json(encode(event), strict=True) == event


@given(st.data())
def test_a_fact_with_something_else_in_one_place_is_read_or_refused_as_the_careful_way_does(
    data: st.DataObject,
) -> None:
    tree = sample(data.draw(st.sampled_from(names())))
    place = data.draw(st.sampled_from([place for place, _ in places(tree) if place]))
    odd = data.draw(json_values | timestamps | numbers)
    payload = json.dumps(replaced(tree, place, odd)).encode()
    kind = BY_NAME[str(tree["type"])]
    try:
        quick = kind.model_validate_json(payload, strict=True)
    except ValidationError:
        return
    assert repr(quick) == repr(kind.model_validate_json(payload))


@given(events, st.sampled_from(["session_id", "service"]))
def test_a_fact_under_another_subject_is_refused_each_time(event: Event, part: str) -> None:
    other = {"session_id": "another", "service": "runner" if event.service == "risk" else "risk"}[part]
    subject = subject_of(event).replace(getattr(event, part), other)
    for _ in range(2):
        with pytest.raises(UndecodableError):
            decode(subject, encode(event))


@given(st.data())
def test_a_line_is_read_or_refused_as_its_type_says(data: st.DataObject) -> None:
    tree = sample(data.draw(st.sampled_from(names())))
    place = data.draw(st.sampled_from([place for place, _ in places(tree) if place]))
    odd = data.draw(json_values | st.sampled_from(sorted(BY_NAME)) | st.just('"type":"heartbeat"'))
    told = replaced(tree, place, odd)
    line = json.dumps(told, separators=data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))).encode()
    kind = told["type"]
    expected = _outcome(lambda: decode_as(kind, line)) if isinstance(kind, str) else f"unknown event type {kind!r}"
    assert _outcome(lambda: decode_line(line)) == expected


@pytest.mark.parametrize("last", ["heartbeat", "order_filled", "nonsense"])
def test_of_two_types_in_a_line_the_last_counts(last: str) -> None:
    line = encode(BY_NAME["order_filled"].model_validate_json(json.dumps(sample("order_filled.v1"))))
    doubled = line[:-1] + f',"type":"{last}"}}'.encode()
    assert _outcome(lambda: decode_line(doubled)) == _outcome(lambda: decode_as(last, doubled))


def _outcome(read: Callable[[], Event]) -> str:
    try:
        return repr(read())
    except UndecodableError as refusal:
        return str(refusal)
