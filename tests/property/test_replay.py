"""A recorded session is decided again alike, and a decision that was tampered with is named."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runner.replay.difference import Difference
from services.runner.replay.session import Replay
from shared.schemas.envelope import Event
from shared.schemas.guard import Resumption, TradingResumed
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.market import SignalRaised
from shared.schemas.orders import OrderApproved, OrderIntended, OrderRefused
from tests.rehearsal import candles_at, feed_of, rehearse, session

STOPPED_OUT = {"method": "fraction", "fraction": "0.5", "stop_distance": "0.02"}
LATE_PARTIAL = {"latency": "90s", "partial_fill_ratio": "0.4"}
prices = st.lists(st.integers(min_value=80, max_value=125).map(str), min_size=8, max_size=40)


def replayed(events: Sequence[Event]) -> Difference | None:
    start = next(event for event in events if isinstance(event, RunnerStart))
    replay = Replay(start, [event for event in events if event.service == "risk"])
    for event in events:
        if replay.take(event):
            break
    return replay.finish()


@given(
    prices,
    st.sampled_from(
        [
            {},
            {"sizing": STOPPED_OUT, "risk": {"max_drawdown_limit": "0.05"}},
            {"sizing": STOPPED_OUT, "on_stop": "flatten", "risk": {"max_orders_per_minute": 1}},
            {"orders": {"entry": "limit", "limit_offset": "0.01", "cancel_after_bars": 2}, "on_stop": "flatten"},
        ]
    ),
)
def test_every_rehearsed_session_is_decided_again_alike(closes: list[str], given: dict[str, Any]) -> None:
    told = rehearse(session(**given), feed_of(candles_at(closes))).events
    assert replayed(told) is None


WALK = ["100", "100", "100", "101", "102", "103", "99", "98", "97", "101", "104", "103"]


@pytest.fixture(scope="module")
def recorded() -> Sequence[Event]:
    return rehearse(session(sizing=STOPPED_OUT), feed_of(candles_at(WALK))).events


def changed(events: Sequence[Event], kind: type[Event], **fields: Any) -> Sequence[Event]:
    first = next(event for event in events if isinstance(event, kind))
    return [event.model_copy(update=fields) if event is first else event for event in events]


def test_a_signal_that_is_decided_otherwise_is_shown_with_both_sides(recorded: Sequence[Event]) -> None:
    first = next(event for event in recorded if isinstance(event, SignalRaised))
    weaker = first.details.model_copy(update={"weight": Decimal("0.5")})
    difference = replayed(changed(recorded, SignalRaised, details=weaker))
    assert difference is not None
    assert difference.fields() == (("details.weight", "0.5", "1"),)
    assert "slice" in difference.cause


def test_an_intent_that_is_missing_is_shown_as_decided_but_not_recorded(recorded: Sequence[Event]) -> None:
    lost = next(event for event in recorded if isinstance(event, OrderIntended))
    difference = replayed([event for event in recorded if event.id != lost.id])
    assert difference is not None
    assert difference.recorded is None
    assert difference.decided == lost


def test_a_verdict_that_is_missing_is_shown(recorded: Sequence[Event]) -> None:
    lost = next(event for event in recorded if isinstance(event, OrderApproved))
    difference = replayed([event for event in recorded if event.id != lost.id])
    assert difference is not None
    assert isinstance(difference.decided, OrderApproved)
    assert "order_intended" in difference.cause


def test_an_intent_for_another_quantity_is_shown(recorded: Sequence[Event]) -> None:
    first = next(event for event in recorded if isinstance(event, OrderIntended))
    larger = first.order.model_copy(update={"qty": first.order.qty + 1})
    difference = replayed(changed(recorded, OrderIntended, order=larger))
    assert difference is not None
    assert [name for name, _, _ in difference.fields()] == ["order.qty"]


def test_other_words_and_another_hour_on_the_wall_are_no_difference(recorded: Sequence[Event]) -> None:
    assert replayed(changed(recorded, SignalRaised, message="put otherwise")) is None


def test_a_halted_sessions_refusals_are_decided_again_alike() -> None:
    told = rehearse(session(risk={"max_drawdown_limit": "0.01"}), feed_of(candles_at([*WALK, *WALK]))).events
    assert any(isinstance(event, OrderRefused) for event in told)
    assert replayed(told) is None


def test_what_an_operator_said_between_decisions_is_taken_as_it_stands(recorded: Sequence[Event]) -> None:
    place = next(number for number, event in enumerate(recorded) if isinstance(event, SignalRaised))
    word = next(event for event in recorded if isinstance(event, TradingResumed))
    spoken = word.model_copy(
        update={
            "id": "0b0f7f2e-4a43-5a0e-8a3e-000000000001",
            "causation_id": "0b0f7f2e-4a43-5a0e-8a3e-000000000002",
            "details": Resumption(reason="lunch is over", operator="ada", control_sequence=1),
        }
    )
    assert replayed([*recorded[:place], spoken, *recorded[place:]]) is None
