"""Readers that can do without a fact put one of a newer version aside and go on; a session that goes on can't."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from services.notifier.reader import Reader
from services.recorder.folding import Folding
from services.runner.core.plan import plan
from services.runner.recollection import Recollection
from services.runner.sessions import unfinished
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.schemas.codec import decode_as
from shared.schemas.lifecycle import RunnerStart
from tests.golden import sample


class StoredBus:
    """Holds what a stream would and remembers dead letters."""

    def __init__(self, *stored: Delivery) -> None:
        self.stored = stored
        self.letters: list[tuple[str, int, str]] = []

    async def read_in_stretches(
        self, stream: str, subjects: Sequence[str], start: int = 1
    ) -> AsyncIterator[Sequence[Delivery]]:
        yield self.stored

    async def latest(self, stream: str, subjects: Sequence[str]) -> list[Delivery]:
        return list(self.stored)

    async def deadletter(self, service: str, delivery: Delivery, reason: str) -> None:
        self.letters.append((service, delivery.sequence, reason))

    @property
    def bus(self) -> Bus:
        return cast(Bus, self)


def delivered(sequence: int, name: str, **changed: Any) -> Delivery:
    subject = "events.{session_id}.{service}.{type}".format(**sample(name))
    payload = json.dumps({**sample(name), **changed}).encode()
    return Delivery(subject, payload, sequence, 0)


NEWER = delivered(1, "order_filled.v1", version=2)
FILLED = delivered(2, "order_filled.v1")


async def test_the_notifier_puts_it_aside_and_hears_the_next() -> None:
    bus = StoredBus()
    reader = Reader(bus.bus)
    assert await reader.decoded(NEWER) is None
    assert await reader.decoded(FILLED) is not None
    assert [(service, number) for service, number, _ in bus.letters] == [("notifier", 1)]
    assert "update it" in bus.letters[0][2]


async def test_the_recorder_puts_it_aside_and_records_the_next() -> None:
    bus = StoredBus()

    async def reject(delivery: Delivery, reason: str) -> None:
        await bus.bus.deadletter("recorder", delivery, reason)

    batch = await Folding(bus.bus, 0, reject).batch([NEWER, FILLED])
    assert [entry.sequence for entry in batch.entries] == [2]
    assert [(service, number) for service, number, _ in bus.letters] == [("recorder", 1)]


def start() -> RunnerStart:
    tree = sample("runner_start.v1")
    tree["details"]["config"]["strategies"] = [{"name": "ema_crossover", "params": {"fast": 12, "slow": 26}}]
    event = decode_as("runner_start", json.dumps(tree).encode())
    assert isinstance(event, RunnerStart)
    return event


def recollection() -> Recollection:
    return Recollection(plan(start().session_id, start().details.config), lambda signed, signature: True)


def test_a_session_does_not_go_on_without_a_fact_that_its_runner_folds() -> None:
    with pytest.raises(FatalError, match=r"message 1 of EVENTS: order_filled is of version 2.*update it"):
        recollection().take(NEWER)


def test_a_session_goes_on_without_a_fact_that_means_nothing_to_its_runner() -> None:
    session = recollection()
    session.take(delivered(1, "runner_start.v1"))
    session.take(delivered(2, "alert_sent.v1", version=9))
    found = session.result()
    assert (found.state.market_start, found.own_sequence, found.sequence) == (start().details.market_start, 1, 2)


async def test_a_stream_may_hold_the_first_and_the_second_version_of_a_fact() -> None:
    second = delivered(2, "runner_start.v2", session_id="5" * 8 + sample("runner_start.v2")["session_id"][8:])
    second = second._replace(subject=second.subject.replace("3f0d2c5e", "5" * 8))
    found = await unfinished(StoredBus(delivered(1, "runner_start.v1"), second).bus, "demo")
    assert found is not None
    assert (found.session_id[:8], found.version) == ("5" * 8, 2)


async def test_garbage_under_the_name_of_a_start_keeps_no_runner_from_starting() -> None:
    garbage = delivered(2, "runner_start.v2", details="none")
    found = await unfinished(StoredBus(delivered(1, "runner_start.v1"), garbage).bus, "demo")
    assert found is not None
