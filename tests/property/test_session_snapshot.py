"""A session that goes on from a snapshot is the one that was interrupted, and only the rest of it is read."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runner.core.plan import plan
from services.runner.kept import Kept, fields_of
from services.runner.recollection import Recollection, Recorded
from services.runner.sessions import _STATE, recorded, snapshots_of, unfinished
from shared.runtime import snapshots as keeping
from shared.runtime.delivery import Delivery
from shared.runtime.packing import pack, unpack
from shared.runtime.snapshots import Snapshot, Snapshots
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.subjects import EVENTS
from tests.memory_bus import MemoryBus
from tests.memory_stage import MemoryStage
from tests.rehearsal import SESSION, candles_at, feed_of, rehearse, session
from tests.walk_session import write_walk

PRICES = [[str(100 + step % 7 - step % 3) for step in range(start, start + 45)] for start in (0, 4)]
REHEARSED = rehearse(
    session(
        symbols=("BTCUSDT", "ETHUSDT"),
        strategies=[
            {"name": "ema_crossover", "params": {"fast": 1, "slow": 3}},
            {"name": "rebalance", "params": {"weights": {"BTCUSDT": "0.3", "ETHUSDT": "0.3"}, "tolerance": "0.001"}},
        ],
        paper={"participation": "0.0001", "maker_fee": "0.001", "taker_fee": "0.001"},
    ),
    feed_of(candles_at(PRICES[0]), candles_at(PRICES[1], symbol="ETHUSDT")),
)


def stored() -> list[Delivery]:
    memory = MemoryBus()
    memory.store_events(*REHEARSED.events)
    return memory.streams[EVENTS]


STORED = stored()
BETWEEN_SLICES = [number for number, fact in enumerate(REHEARSED.events) if fact.type != "candle_closed"]


def recollection(kept: Kept | None = None) -> Recollection:
    (start,) = REHEARSED.told(RunnerStart)
    return Recollection(plan(SESSION, start.details.config), lambda signed, signature: True, kept)


def folded(deliveries: list[Delivery], kept: Kept | None = None) -> Recorded:
    whole = recollection(kept)
    for delivery in deliveries:
        whole.take(delivery)
    return whole.result()


def kept_from(found: Recorded) -> Kept:
    ids, bars = found.once.packed()
    kept = Kept(fields_of(found.state), found.book, found.clock, found.own_sequence, found.sequence, ids, bars)
    again: Kept = unpack(pack(kept), _STATE)
    return again


def same(one: Recorded, other: Recorded) -> bool:
    return (one.state, one.book, one.clock, one.own_sequence, one.sequence, one.once.packed()) == (
        *(other.state, other.book, other.clock, other.own_sequence, other.sequence, other.once.packed()),
    )


WHOLE = folded(STORED)


def test_the_session_is_worth_interrupting() -> None:
    assert {"order_filled", "order_approved", "signal_raised", "order_accepted"} <= set(REHEARSED.names)
    assert WHOLE.state._replace(plan=REHEARSED.state.plan) == REHEARSED.state


@given(st.lists(st.sampled_from(BETWEEN_SLICES), min_size=1, max_size=3))
def test_a_snapshot_and_the_rest_are_the_whole(cuts: list[int]) -> None:
    kept: Kept | None = None
    for cut in sorted(cuts):
        kept = kept_from(folded(STORED[:cut], kept))
    assert same(folded(STORED, kept), WHOLE)


@given(st.lists(st.tuples(st.integers(0, len(STORED) - 1), st.sampled_from(BETWEEN_SLICES)), max_size=20))
def test_copies_of_facts_change_nothing(copies: list[tuple[int, int]]) -> None:
    disturbed: list[Delivery] = []
    for number, delivery in enumerate(STORED):
        disturbed += [STORED[old] for old, new in copies if new == number and old < number]
        disturbed.append(delivery)
    renumbered = [delivery._replace(sequence=number) for number, delivery in enumerate(disturbed, start=1)]
    found = folded(renumbered)
    assert (found.state, found.book, found.clock) == (WHOLE.state, WHOLE.book, WHOLE.clock)


def test_a_whole_session_once_more_changes_nothing() -> None:
    again = [delivery._replace(sequence=delivery.sequence + len(STORED)) for delivery in STORED]
    found = folded([*STORED, *again])
    assert (found.state, found.book) == (WHOLE.state, WHOLE.book)


def test_an_approval_without_the_guards_signature_counts_for_nothing() -> None:
    (start,) = REHEARSED.told(RunnerStart)
    doubting = Recollection(plan(SESSION, start.details.config), lambda signed, signature: False)
    first = next(number for number, fact in enumerate(REHEARSED.events) if fact.type == "order_approved")
    for delivery in STORED[: first + 1]:
        doubting.take(delivery)
    assert {order.stage for order in doubting.result().state.orders.values()} == {"intended"}


async def at_once(function: Callable[..., Any], *given: Any) -> Any:
    """In place of a thread, which would lag behind a market without a clock."""
    return function(*given)


@pytest.fixture
def every_snapshot(monkeypatch: pytest.MonkeyPatch) -> list[Snapshot]:
    """Snapshots are taken as often as can be; all that a runner takes are listed."""
    taken: list[Snapshot] = []

    async def listed(self: Snapshots, snapshot: Snapshot) -> None:
        if isinstance(snapshot.state, Kept):
            taken.append(snapshot)

    monkeypatch.setattr(keeping, "EVERY_EVENTS", 1)
    monkeypatch.setattr(keeping, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(Snapshots, "keep", listed)
    return taken


async def test_what_a_living_runner_keeps_is_what_the_stream_says(
    tmp_path: Path, every_snapshot: list[Snapshot]
) -> None:
    stage = MemoryStage(tmp_path, *write_walk(tmp_path, 60))
    async with stage.guarded():
        await stage.trade()
    (start,) = [fact for fact in await stage.told("runner") if isinstance(fact, RunnerStart)]
    its_plan, facts = plan(start.session_id, start.details.config), stage.memory.streams[EVENTS]
    assert len(every_snapshot) >= 5
    for sequence, kept in every_snapshot:
        whole = Recollection(its_plan, lambda signed, signature: True)
        for delivery in facts[: max(sequence, kept.heard_sequence)]:
            whole.take(delivery)
        found = whole.result()
        assert kept.state(its_plan) == found.state
        assert (kept.book, kept.clock) == (found.book, found.clock)


async def test_a_runner_that_dies_and_goes_on_from_its_snapshots_ends_where_it_would_have() -> None:
    assert await final_metrics([115, 130, 150]) == await final_metrics([])


async def final_metrics(crashes: list[int]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "EVERY_EVENTS", 10)
        patch.setattr(keeping, "PAUSE_SECONDS", 0.0)
        patch.setattr(asyncio, "to_thread", at_once)
        stage = MemoryStage(Path(folder), *write_walk(Path(folder), 90))
        async with stage.guarded():
            for crash in crashes:
                await stage.trade(crash_at=crash)
                await reads_only_the_rest(stage)
            await stage.trade()
        (end,) = [fact for fact in await stage.told("runner") if fact.type == "runner_end"]
        return {**end.metrics.model_dump(), "stored": len(await stage.told("runner"))}


async def reads_only_the_rest(stage: MemoryStage) -> None:
    """A runner that starts now has a snapshot to go on from, and reads nothing of what lies before it."""
    left = await unfinished(stage.memory.bus, "walk")
    assert left is not None
    snapshots = snapshots_of(stage.memory.bus, stage.settings, left.session_id)
    kept = await snapshots.load()
    assert kept is not None
    stage.memory.given[EVENTS] = 0
    await recorded(stage.memory.bus, left, lambda signed, signature: True, snapshots)
    begun = min(kept.state.own_sequence, kept.state.heard_sequence)
    assert stage.memory.given[EVENTS] <= len(stage.memory.streams[EVENTS]) - begun < len(stage.memory.streams[EVENTS])
