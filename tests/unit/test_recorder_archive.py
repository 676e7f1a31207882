import asyncio

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recorder.archive import Archive, write_sparing
from services.recorder.core.ledger import Batch, Ledger, batch_of
from shared.schemas.codec import encode
from tests.recorder_story import SESSION, Story

STORY = Story().whole(4)


class FakeTables:
    """Keeps sequences; a batch with a poisonous one is refused whole, as a transaction is."""

    def __init__(self, poisonous: frozenset[int]) -> None:
        self._poisonous = poisonous
        self.rows: list[int] = []
        self.sequence = 0

    def write(self, batch: Batch) -> None:
        assert batch.after <= self.sequence
        sequences = [entry.sequence for entry in batch.entries]
        if self._poisonous & set(sequences):
            raise psycopg.DataError("value overflows numeric format")
        self.rows += sequences
        self.sequence = batch.last


def whole() -> Batch:
    ledger = Ledger()
    ledger.open(SESSION)
    entries = [ledger.enter(place, encode(event), event) for place, event in enumerate(STORY, start=1)]
    return batch_of(ledger, [entry for entry in entries if entry is not None], 0, len(STORY))


@given(st.frozensets(st.integers(1, len(STORY))))
def test_only_facts_that_the_database_cannot_hold_are_left_out(poisonous: frozenset[int]) -> None:
    tables = FakeTables(poisonous)
    rejected = write_sparing(tables, whole())
    assert [entry.sequence for entry, _ in rejected] == sorted(poisonous)
    assert tables.rows == [place for place in range(1, len(STORY) + 1) if place not in poisonous]
    assert tables.sequence == len(STORY)


def test_the_reason_says_what_the_database_said() -> None:
    [(entry, reason)] = write_sparing(FakeTables(frozenset({5})), whole())
    assert (entry.sequence, reason) == (5, "PostgreSQL cannot hold it: value overflows numeric format")


def test_a_lost_connection_is_not_the_facts_fault() -> None:
    class Gone(FakeTables):
        def write(self, batch: Batch) -> None:
            raise psycopg.OperationalError("server closed the connection")

    with pytest.raises(psycopg.OperationalError):
        write_sparing(Gone(frozenset()), whole())


async def test_a_database_that_is_away_from_the_start_is_told_once() -> None:
    told: list[str] = []
    lost = asyncio.Event()

    async def on_lost(problem: str) -> None:
        told.append(problem)
        lost.set()

    async def ignore(*_: object) -> None:
        pass

    archive = Archive("postgresql://127.0.0.1:9/nowhere", on_lost, ignore, ignore)
    running = asyncio.create_task(archive.run())
    await asyncio.wait_for(lost.wait(), 60)
    running.cancel()
    assert len(told) == 1
    assert archive.problem == told[0]
