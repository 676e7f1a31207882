"""The codec: what is written is what is read, to the last digit, and garbage is only ever refused."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import UndecodableError, decode, decode_as, encode, subject_of
from shared.schemas.documents.json_schema import event_schema
from shared.schemas.envelope import Event
from shared.schemas.market import Candle, CandleClosed
from shared.schemas.orders import Fill, OrderFilled, OrderIntended, Ticket
from shared.schemas.values import OrderType, Side, TimeInForce, plain
from tests.golden import names, places, replaced, sample

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20"))
quantities = decimals.map(abs)
prices = quantities.filter(lambda number: number > 0)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001
symbols = st.sampled_from(["BTCUSDT", "BTC/USD", "BRK.B", "0", "X" * 32, "1000SATS_PERP-1"])
texts = st.text(st.characters(codec="utf-8"), max_size=30)
order_ids = st.sampled_from(["lt-99b34a123ab356e7bf3f09e3e0ee49e6", "_", "A-z_0" * 7])
identities = st.uuids().map(str)
sides = st.sampled_from(Side)

candles = st.builds(Candle, symbols, instants, instants, prices, prices, prices, prices, quantities)
tickets = st.builds(
    Ticket,
    client_order_id=order_ids,
    strategy=texts,
    symbol=symbols,
    side=sides,
    type=st.sampled_from(OrderType),
    time_in_force=st.sampled_from(TimeInForce),
    qty=quantities,
    price=st.none() | prices,
    stop_price=st.none() | prices,
    reference_price=prices,
    protective_stop=st.none() | prices,
    reduce_only=st.booleans(),
    purpose=st.sampled_from(["entry", "exit", "stop", "rebalance", "flatten"]),
)
fills = st.builds(
    Fill,
    client_order_id=order_ids,
    trade_id=texts,
    strategy=texts,
    symbol=symbols,
    side=sides,
    qty=quantities,
    price=prices,
    fee=decimals,
    fee_asset=texts,
    liquidity=st.sampled_from(["maker", "taker"]),
    status=st.sampled_from(["filled", "partially_filled"]),
    leaves_qty=quantities,
    reference_price=prices,
)


def _events(kind: type[Event], **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(
        kind,
        timestamp=instants,
        market_time=instants,
        session_id=identities,
        id=identities,
        correlation_id=identities,
        causation_id=identities,
        service=st.just("runner"),
        message=st.none() | texts,
        duration_seconds=st.none() | st.floats(0, 1e9),
        **parts,
    )


events = st.one_of(
    _events(CandleClosed, details=candles), _events(OrderIntended, order=tickets), _events(OrderFilled, order=fills)
)


@given(events)
def test_what_is_written_is_read_again(event: Event) -> None:
    assert decode(subject_of(event), encode(event)) == event
    assert encode(decode(subject_of(event), encode(event))) == encode(event)


@cache
def _validator(kind: type[Event]) -> Draft202012Validator:
    return Draft202012Validator(event_schema(kind))


@given(events)
def test_what_is_written_is_one_line_that_fits_its_json_schema(event: Event) -> None:
    written = encode(event)
    assert b"\n" not in written
    _validator(type(event)).validate(json.loads(written))


@given(decimals)
def test_a_decimal_keeps_every_digit(number: Decimal) -> None:
    tree = sample("order_filled.v1")
    tree["order"]["fee"] = plain(number)
    event = decode_as("order_filled", json.dumps(tree).encode())
    assert event.order.fee == number
    assert json.loads(encode(event))["order"]["fee"] == plain(number)


@given(instants)
def test_an_instant_keeps_its_microsecond_and_is_written_in_utc(instant: datetime) -> None:
    tree = sample("order_filled.v1")
    tree["market_time"] = instant.isoformat()
    event = decode_as("order_filled", json.dumps(tree).encode())
    assert event.market_time == instant
    assert event.market_time.tzinfo is UTC
    assert json.loads(encode(event))["market_time"].endswith("Z")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def _decoded_or_refused(subject: str, payload: bytes) -> None:
    try:
        event = decode(subject, payload)
    except UndecodableError:
        return
    assert decode(subject, encode(event)) == event


@given(st.sampled_from(sorted(BY_NAME)), st.binary(max_size=300) | json_values.map(lambda v: json.dumps(v).encode()))
def test_garbage_is_refused_and_does_nothing_else(name: str, payload: bytes) -> None:
    _decoded_or_refused(f"events.3f0d2c5e-9a41-4c1b-8a77-0d5b6e1f2a90.runner.{name}", payload)


@given(st.data())
def test_a_fact_with_something_else_in_one_place_is_read_whole_or_refused(data: st.DataObject) -> None:
    tree = sample(data.draw(st.sampled_from(names())))
    subject = "events.{session_id}.{service}.{type}".format(**tree)
    place = data.draw(st.sampled_from([place for place, _ in places(tree) if place]))
    _decoded_or_refused(subject, json.dumps(replaced(tree, place, data.draw(json_values))).encode())


@given(st.text(max_size=60), st.binary(max_size=60))
def test_any_subject_is_refused_that_is_none_of_ours(subject: str, payload: bytes) -> None:
    _decoded_or_refused(subject, payload)
