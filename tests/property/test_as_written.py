"""Candles and marks read by their form: each is read as the careful way reads it, or not at all."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.schemas import as_written
from shared.schemas.codec import UndecodableError, decode_as, encode
from shared.schemas.envelope import Event
from shared.schemas.market import CandleClosed, EquityMarked, EquityMetrics, MarkDetails
from shared.schemas.values import SERVICES, Level, Phase
from tests.golden import places, replaced
from tests.property.test_canonical import marred, numbers, timestamps, written
from tests.property.test_codec import candles, decimals, identities, instants, json_values

FIGURES = ("equity", "cash", "exposure", "pnl", "fees", "drawdown", "max_drawdown")
counts = st.integers(0, 999_999_999)
metrics: Any = st.builds(
    EquityMetrics,
    **dict.fromkeys(FIGURES, decimals),
    **dict.fromkeys(("trades", "wins", "losses"), counts),
    win_rate=st.integers(0, 1000).map(lambda wins: wins / 1000) | st.integers(1, 3000).map(lambda trades: 1 / trades),
)
envelope: dict[str, Any] = {
    **dict.fromkeys(("timestamp", "market_time"), instants),
    **dict.fromkeys(("session_id", "id", "correlation_id", "causation_id"), identities),
    "phase": st.none() | st.sampled_from(get_args(Phase)),
    "level": st.sampled_from(get_args(Level)),
    "service": st.sampled_from(SERVICES),
}
marks = st.builds(MarkDetails, close_time=instants, awaits_guard=st.booleans())
bars = st.builds(CandleClosed, details=candles, **envelope) | st.builds(
    EquityMarked, metrics=metrics, details=marks, **envelope
)


def _same_or_left(kind: type[Event], payload: bytes) -> None:
    """What is read by its form is in everything what the careful way makes of it."""
    by_form = as_written.read(kind, payload)
    if by_form is None:
        return
    careful = kind.model_validate_json(payload)
    assert repr(by_form) == repr(careful)
    assert by_form == careful
    assert by_form.model_fields_set == careful.model_fields_set
    assert [type(part) for part in vars(by_form).values()] == [type(part) for part in vars(careful).values()]
    assert encode(by_form) == encode(careful)


@given(bars)
def test_a_bars_fact_as_we_write_it_is_read_by_its_form(event: Event) -> None:
    assert as_written.read(type(event), encode(event)) is not None
    _same_or_left(type(event), encode(event))


@given(bars, st.data())
def test_a_bars_fact_with_something_else_in_one_place_is_read_alike_or_left(event: Event, data: st.DataObject) -> None:
    tree = json.loads(encode(event))
    place = data.draw(st.sampled_from([place for place, _ in places(tree) if place]))
    odd = data.draw(json_values | numbers | marred.map(lambda form: form.format(data.draw(timestamps | written))))
    payload = json.dumps(replaced(tree, place, odd), separators=(",", ":"), ensure_ascii=False).encode()
    _same_or_left(type(event), payload)


@given(bars, st.data())
def test_a_bars_fact_with_damaged_bytes_is_read_alike_or_left(event: Event, data: st.DataObject) -> None:
    payload = encode(event)
    begin = data.draw(st.integers(0, len(payload)))
    end = data.draw(st.integers(begin, min(begin + 3, len(payload))))
    odd = data.draw(st.binary(max_size=3) | st.text(max_size=3).map(lambda text: text.encode(errors="replace")))
    _same_or_left(type(event), payload[:begin] + odd + payload[end:])


@given(bars, bars, st.data())
def test_two_bars_facts_cut_and_joined_are_read_alike_or_left(one: Event, other: Event, data: st.DataObject) -> None:
    first, second = encode(one).split(b","), encode(other).split(b",")
    cut = data.draw(st.integers(0, len(first)))
    joined = b",".join(first[:cut] + second[cut:])
    for kind in (CandleClosed, EquityMarked):
        _same_or_left(kind, joined)


@pytest.mark.parametrize("kind", [CandleClosed, EquityMarked])
@given(bars)
def test_a_fact_is_never_read_as_one_of_another_type(kind: type[Event], event: Event) -> None:
    if type(event) is not kind:
        assert as_written.read(kind, encode(event)) is None
        with pytest.raises(UndecodableError):
            decode_as(kind.model_fields["type"].default, encode(event))
