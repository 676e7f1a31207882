"""Wherever the runner crashes, the session's orders, fills and equity come out as if it had not."""

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from shared.schemas.envelope import Event
from shared.schemas.session import SessionConfig
from tests.crash_stage import Side, Stage
from tests.rehearsal import ListedFeed, candles_at, feed_of, session

STRIDE = 1 if os.environ.get("SOAK") else 7
"""`make soak` crashes at every effect, `make test` at every seventh, beginning elsewhere in each case."""
DECISIONS = frozenset(
    {
        "signal_raised",
        "order_intended",
        "order_approved",
        "order_refused",
        "order_submitted",
        "order_accepted",
        "order_rejected",
        "order_filled",
        "order_cancelled",
        "equity_marked",
        "trading_halted",
        "runner_end",
    }
)
WALK = (100, 100, 101, 103, 102, 99, 98, 101, 104, 96, 95, 99, 103, 105, 104, 98, 97)
LATER = (96, 98, 101, 100, 99, 103, 104, 99)
SESSIONS: dict[str, dict[str, Any]] = {
    "market orders with stops": {
        "on_stop": "flatten",
        "sizing": {"method": "fraction", "fraction": "0.5", "stop_distance": "0.03"},
    },
    "limit entries, late and in parts": {
        "on_stop": "flatten",
        "orders": {"entry": "limit", "limit_offset": "0.002", "cancel_after_bars": 3},
        "paper": {"latency": "70s", "participation": "0.02", "taker_fee": "0.001"},
        "sizing": {"method": "fraction", "fraction": "0.5", "stop_distance": "0.03"},
    },
    "two strategies on two symbols": {
        "symbols": ("BTCUSDT", "ETHUSDT"),
        "strategies": [
            {"name": "ema_crossover", "params": {"fast": 1, "slow": 2}},
            {"name": "rebalance", "params": {"weights": {"BTCUSDT": "0.3", "ETHUSDT": "0.3"}, "tolerance": "0.001"}},
        ],
        "on_stop": "flatten",
    },
    "a drawdown that halts": {
        "sizing": {"method": "fraction", "fraction": "0.9", "stop_distance": "0.05"},
        "risk": {"max_drawdown_limit": "0.03"},
    },
}


@cache
def trading(name: str) -> tuple[SessionConfig, ListedFeed]:
    walk = list(map(str, (*WALK, *LATER) if "late" in name else WALK))
    beside = [candles_at(walk[3:] + walk[:3], symbol="ETHUSDT")] if "two" in name else []
    return session(**SESSIONS[name]), feed_of(candles_at(walk), *beside)


def decisions(stream: Sequence[Event]) -> list[Any]:
    """What was decided, slice by slice, without the names that follow from which life of the runner decided it.

    Orders on several symbols may go out in another order after a restart.
    """
    told = [
        (event.type, event.service, event.market_time, _content(event)) for event in stream if event.type in DECISIONS
    ]
    if len({content["order"]["symbol"] for *_, content in told if "order" in content}) > 1:
        return sorted(told, key=lambda one: (one[2], repr(one)))
    return told


def _content(event: Event) -> dict[str, Any]:
    told = event.model_dump(mode="json", include={"order", "metrics", "details", "status"}, exclude_none=True)
    if isinstance(told.get("details"), dict):
        told["details"].pop("intent_id", None)
    return told


@cache
def undisturbed(name: str, on_its_way_at_most: int) -> tuple[list[Any], int]:
    stage = Stage(*trading(name), on_its_way_at_most=on_its_way_at_most)
    stage.run()
    return decisions(stage.stream), stage.effects


@pytest.mark.parametrize("side", ["before", "within", "after"])
@pytest.mark.parametrize("on_its_way_at_most", [0, 9])
@pytest.mark.parametrize("name", SESSIONS)
def test_a_crash_at_any_point_changes_no_order_fill_or_equity(name: str, on_its_way_at_most: int, side: Side) -> None:
    expected, effects = undisturbed(name, on_its_way_at_most)
    assert sum(kind == "order_filled" for kind, *_ in expected) >= 2
    offset = (on_its_way_at_most + len(name) + len(side)) % STRIDE
    for crash_at in range(offset, effects, STRIDE):
        stage = Stage(*trading(name), on_its_way_at_most=on_its_way_at_most)
        stage.run(crash_at, side)
        assert decisions(stage.stream) == expected, f"crashed {side} effect {crash_at} of {effects}"


@pytest.mark.parametrize("name", SESSIONS)
def test_an_order_that_reached_the_venue_before_the_crash_is_found_there_and_not_sent_again(name: str) -> None:
    expected, _ = undisturbed(name, 0)
    whole = Stage(*trading(name))
    whole.run()
    for crash_at in whole.submitted:
        stage = Stage(*trading(name), venue_survives=True)
        stage.run(crash_at, "after")
        assert len(stage.submitted) == len(whole.submitted)
        assert decisions(stage.stream) == expected
