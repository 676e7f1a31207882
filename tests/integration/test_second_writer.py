"""Two guards on one stream, two runners on one session: the stream itself refuses all but one, frozen ones included."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, aclosing
from pathlib import Path

import pytest

from deploy.embedded.nats_server import start_nats
from services.recorder.core.validation import Validation
from services.risk.watch import WATCH, Watch
from shared.runtime.bus import Bus
from shared.runtime.errors import FencedError
from shared.schemas.codec import decode
from shared.schemas.envelope import Event
from shared.schemas.subjects import ALL_EVENTS, EVENTS, every_session, session_subjects
from tests.bus_facts import settings_for
from tests.guard_story import SESSION, Story, ticket
from tests.service_process import PATIENCE_SECONDS, ServiceProcess, service_process

TRADED = """
name = "twin"
symbols = ["BTCUSDT"]
timeframe = "1m"
initial_capital = 10000
warmup_bars = 10
[feed]
kind = "simulated"
seed = 3
start = 2026-01-05T00:00:00Z
[[strategies]]
name = "ema_crossover"
params = { fast = 2, slow = 4 }
"""


class Stage:
    """A server, what is needed to start services on it, and a bus to look on and to tell a runner's facts."""

    def __init__(self, folder: Path, url: str, bus: Bus) -> None:
        self.folder, self.bus = folder, bus
        self.environment = {"NATS_URL": url, "DATA_DIR": str(folder / "data")}
        self.settings = settings_for(url, folder / "data")

    def guard(self, name: str) -> AbstractContextManager[ServiceProcess]:
        return service_process("risk", self.folder / name, self.environment)

    def runner(self, name: str) -> AbstractContextManager[ServiceProcess]:
        session = self.folder / "twin.toml"
        session.write_text(TRADED)
        return service_process("runner", self.folder / name, self.environment, "run", "--session", str(session))

    async def until_stored(self, subject: str, count: int = 1, start: int = 1) -> int:
        """The number of the `count`-th message on `subject` from `start` on, once it is stored."""
        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(self.bus.follow(EVENTS, [subject], start)) as stored:
            async for delivery in stored:
                count -= 1
                if not count:
                    return delivery.sequence
        raise AssertionError("a stream does not end")

    async def ended(self, process: ServiceProcess) -> int:
        return await asyncio.to_thread(process.status)

    async def facts(self, subject: str = ALL_EVENTS) -> list[Event]:
        return [decode(item.subject, item.payload) async for item in self.bus.read(EVENTS, [subject])]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    with start_nats(tmp_path / "nats") as server:
        bus = await Bus.connect(settings_for(server.url), "runner")
        await bus.ensure_streams()
        yield Stage(tmp_path, server.url, bus)
        await bus.close()


def verdicts(facts: list[Event]) -> Counter[str]:
    return Counter(fact.details.intent_id for fact in facts if fact.type in ("order_approved", "order_refused"))


async def test_a_second_guard_takes_over_and_the_first_one_ends_and_says_so(stage: Stage) -> None:
    story = Story()
    with stage.guard("first") as first:
        await stage.bus.append([story.start(), story.close("100"), story.intend(ticket("a"))])
        await stage.until_stored(every_session("risk", "order_approved"))
        with stage.guard("second") as second:
            assert await stage.ended(first) == 1
            await stage.bus.append([story.intend(ticket("b"))])
            await stage.until_stored(every_session("risk", "order_approved"), count=2)
            assert second.running
    assert "another guard" in first.said
    assert "Traceback" not in first.said
    assert sorted(verdicts(await stage.facts()).values()) == [1, 1]


async def test_a_guard_that_was_frozen_while_another_took_over_does_no_harm_when_it_wakes(stage: Stage) -> None:
    story = Story()
    with stage.guard("frozen") as frozen:
        await stage.bus.append([story.start(), story.close("100")])
        await stage.until_stored(every_session("risk", "trading_resumed"))
        frozen.freeze()
        with stage.guard("second"):
            await stage.bus.append([story.intend(ticket("a")), story.intend(ticket("b", qty="2"))])
            last = await stage.until_stored(every_session("risk", "order_approved"), count=2)
            frozen.thaw()
            assert await stage.ended(frozen) == 1
            await stage.bus.append([story.intend(ticket("c"))])
            await stage.until_stored(every_session("risk", "order_approved"), start=last + 1)
    assert "another guard" in frozen.said
    assert sorted(verdicts(await stage.facts()).values()) == [1, 1, 1]


async def test_a_guard_without_the_watch_can_neither_judge_nor_beat_anywhere(stage: Stage) -> None:
    story, old, new = Story(), Watch(stage.bus), Watch(stage.bus)
    await old.take()
    await old.voice.say_together([story.tell_halted("before")])
    await new.take()
    stored = len(await stage.facts())
    with pytest.raises(FencedError, match="another guard is at work"):
        await old.voice.say_together([story.tell_halted("a session that the successor has never heard of")])
    await old.voice.say([story.tell_halted("and nobody waits for the answer")])
    with pytest.raises(FencedError, match="another guard is at work"):
        await old.voice.settled()
    with pytest.raises(FencedError, match="another guard is at work"):
        await old.beat([(SESSION, story.now)])
    assert len(await stage.facts()) == stored
    await new.beat([(SESSION, story.now)])


async def test_a_guard_hears_of_its_successor_before_it_is_refused(stage: Stage) -> None:
    old, new = Watch(stage.bus), Watch(stage.bus)
    await old.take()
    await new.take()
    claims = [delivery async for delivery in stage.bus.read(EVENTS, [WATCH])]
    old.check(claims[0])
    for claim in claims:
        new.check(claim)
    with pytest.raises(FencedError, match=f"number {claims[1].sequence} of EVENTS"):
        old.check(claims[1])


async def test_of_two_runners_on_one_session_one_is_refused_and_says_so(stage: Stage) -> None:
    with stage.guard("guard"), stage.runner("one") as one:
        await stage.until_stored(every_session("runner", "equity_marked"), count=3)
        with stage.runner("other") as other:
            await first_to_end(one, other)
            left, ended = (one, other) if one.running else (other, one)
            marked = await stage.until_stored(every_session("runner", "equity_marked"), count=4)
            await stage.until_stored(every_session("runner", "equity_marked"), start=marked + 1)
            left.ask_to_end()
            assert await stage.ended(left) == 0
            assert await stage.ended(ended) == 1
    assert "another runner is at work" in ended.said
    await is_one_session_in_good_order(stage)


async def test_a_runner_that_was_frozen_while_another_went_on_does_no_harm_when_it_wakes(stage: Stage) -> None:
    with stage.guard("guard"), stage.runner("frozen") as frozen:
        seen = await stage.until_stored(every_session("runner", "equity_marked"), count=3)
        frozen.freeze()
        with stage.runner("second") as second:
            seen = await stage.until_stored(every_session("runner", "heartbeat"), start=seen + 1)
            seen = await stage.until_stored(every_session("runner", "equity_marked"), start=seen + 1)
            frozen.thaw()
            assert await stage.ended(frozen) == 1
            await stage.until_stored(every_session("runner", "equity_marked"), start=seen + 1)
            second.ask_to_end()
            assert await stage.ended(second) == 0
    assert "another runner is at work" in frozen.said
    await is_one_session_in_good_order(stage)


async def first_to_end(*processes: ServiceProcess) -> None:
    waits = [asyncio.ensure_future(asyncio.to_thread(process.status)) for process in processes]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)


async def is_one_session_in_good_order(stage: Stage) -> None:
    """One session, each fact once, each order in its right succession, and an end."""
    facts = await stage.facts(every_session("runner", "runner_start"))
    (session_id,) = {fact.session_id for fact in facts}
    validation = Validation(session_id)
    told = await stage.facts(session_subjects(session_id))
    assert [finding for fact in told for finding in validation.findings(fact)] == []
    assert told[-1].type in ("runner_end", "heartbeat")
    assert max(verdicts(told).values(), default=1) == 1
