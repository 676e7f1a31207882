"""The notifier against a real NATS server and a real HTTP server in Telegram's place."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.embedded.nats_server import NatsServer, start_nats
from services.notifier import recovery
from services.notifier.channels.port import Channel, UndeliverableError
from services.notifier.channels.telegram import TelegramChannel
from services.notifier.dispatch import Dispatch, Due
from services.notifier.position import Position
from services.notifier.recovery import OUTCOMES
from services.notifier.service import Notifier
from shared.runtime.bus import Bus
from shared.runtime.errors import FatalError
from shared.runtime.settings import load_settings
from shared.schemas.codec import decode
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import AlertFailed, AlertSent
from shared.schemas.subjects import DEADLETTER, EVENTS, event_subject
from shared.schemas.values import STACK
from tests.notifier_story import Story
from tests.venues.telegram_server import CHAT_ID, TOKEN, TelegramServer, telegram_server

PATIENCE_SECONDS = 240.0
ROOT = Path(__file__).parents[2]


class Notebook:
    """A channel that keeps what it is given, and refuses while `broken` says why."""

    name = "notebook"
    longest = 0

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.broken: str | None = None

    async def deliver(self, text: str, urgent: bool) -> int:
        if self.broken:
            raise UndeliverableError(self.broken, 3)
        self.texts.append(text)
        return 1

    async def close(self) -> None:
        """Nothing is held open."""


class Stage:
    """A bus to tell facts on, and notifiers that come and go."""

    def __init__(self, server: NatsServer, bus: Bus, data: Path) -> None:
        self.server, self.bus, self.data = server, bus, data
        self.story = Story()

    async def tell(self, name: str, **changes: object) -> None:
        await self.bus.append([self.story.fact(name, **changes)])

    @asynccontextmanager
    async def notifier(self, *channels: Channel) -> AsyncIterator[None]:
        """A notifier that has caught up, until the end of the block."""
        position = Position.load(self.data / "position.json")
        stopping = asyncio.Event()
        work = asyncio.create_task(Notifier(self.bus, channels, position).run(stopping))
        try:
            await until(lambda: position.stored is not None or work.done())
            yield
        finally:
            stopping.set()
            await asyncio.wait_for(work, PATIENCE_SECONDS)

    async def outcomes(self) -> list[Event]:
        return [decode(d.subject, d.payload) async for d in self.bus.read(EVENTS, OUTCOMES)]


async def until(holds: Callable[[], object]) -> None:
    """Wait for something that another task or process brings about."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    with start_nats(tmp_path / "nats") as server:
        settings = load_settings({"NATS_URL": server.url, "DATA_DIR": str(tmp_path)}, None)
        bus = await Bus.connect(settings, "notifier")
        await bus.ensure_streams()
        yield Stage(server, bus, tmp_path)
        await bus.close()


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with telegram_server() as server:
        yield server


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


async def test_tells_people_and_then_tells_that_it_did(
    stage: Stage, telegram: TelegramServer, notebook: Notebook
) -> None:
    channel = TelegramChannel(SecretStr(TOKEN), CHAT_ID, telegram.url, spacing=0.0)
    async with stage.notifier(notebook, channel):
        await stage.tell("runner_start")
        await stage.tell("limit_breached")
        await until(lambda: "breached" in "".join(telegram.received) and len(notebook.texts) == 2)
    await channel.close()
    outcomes = await stage.outcomes()
    told = {(fact.details.channel, fact.details.event_type) for fact in outcomes if isinstance(fact, AlertSent)}
    assert told == {(c, kind) for c in ("notebook", "telegram") for kind in ("runner_start", "limit_breached")}
    assert {fact.market_time for fact in outcomes} == {stage.story.market_time}


async def test_what_was_told_as_sent_is_not_sent_again_though_the_position_was_lost(
    stage: Stage, notebook: Notebook
) -> None:
    async with stage.notifier(notebook):
        await stage.tell("runner_start")
        await stage.tell("limit_breached")
        await until(lambda: len(notebook.texts) == 2)
    (stage.data / "position.json").write_text('{"sequence": 0}')
    async with stage.notifier(notebook):
        await stage.tell("connection_lost")
        await until(lambda: "lost" in notebook.texts[-1])
    assert len(notebook.texts) == 3


async def test_what_happened_while_it_was_away_is_told_afterwards(stage: Stage, notebook: Notebook) -> None:
    async with stage.notifier(notebook):
        await stage.tell("runner_start")
        await until(lambda: len(notebook.texts) == 1)
    await stage.tell("trading_halted")
    await stage.tell("order_refused")
    async with stage.notifier(notebook):
        await until(lambda: len(notebook.texts) == 3)
    assert "KILLED" in notebook.texts[1]
    assert "refused" in notebook.texts[2]


async def test_a_storm_goes_on_being_counted_across_a_restart(stage: Stage, notebook: Notebook) -> None:
    async with stage.notifier(notebook):
        await stage.tell("runner_start")
        await stage.tell("order_refused")
        await until(lambda: len(notebook.texts) == 2)
    async with stage.notifier(notebook):
        for _ in range(7):
            await stage.tell("order_refused")
        stage.story.wait(5)
        await stage.tell("heartbeat")
        await until(lambda: len(notebook.texts) == 3)
    assert "7 more since 09:40" in notebook.texts[2]


async def test_the_first_start_tells_nothing_old_but_knows_the_sessions_that_run(
    stage: Stage, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "RECENT", timedelta(0))
    await stage.tell("runner_start")
    await stage.tell("limit_breached")
    async with stage.notifier(notebook):
        await stage.tell("connection_lost")
        await until(lambda: notebook.texts)
    assert notebook.texts == [
        "[warning] demo: runner lost its connection to Binance market data: no answer for 3 s (2026-01-05 09:40 UTC)"
    ]


async def test_a_channel_that_fails_is_told_of_and_holds_up_no_other(stage: Stage, notebook: Notebook) -> None:
    broken = Notebook()
    broken.name, broken.broken = "broken", "no answer"
    async with stage.notifier(broken, notebook):
        await stage.tell("runner_start")
        await stage.tell("trading_halted")
        await until(lambda: len(notebook.texts) == 2)
    failures = [fact for fact in await stage.outcomes() if isinstance(fact, AlertFailed)]
    assert [(fact.details.channel, fact.error, fact.details.attempts) for fact in failures] == [
        ("broken", "no answer", 3),
        ("broken", "no answer", 3),
    ]


async def test_messages_that_find_no_place_are_told_as_failed_and_alarms_still_find_one(
    stage: Stage, notebook: Notebook
) -> None:
    settled: list[int] = []
    dispatch = Dispatch(notebook, stage.bus, settled.append, longest=2)
    ordinary = [stage.story.hear(stage.story.fact("connection_restored"))[0] for _ in range(4)]
    alarm = stage.story.hear(stage.story.fact("limit_breached"))[0]
    for number, message in enumerate([*ordinary, alarm]):
        dispatch.offer(Due(message, number))
    work = asyncio.create_task(dispatch.run())
    await asyncio.wait_for(dispatch.drained(), PATIENCE_SECONDS)
    work.cancel()
    assert notebook.texts == [ordinary[0].text, ordinary[1].text, alarm.text]
    assert sorted(settled) == [0, 1, 2, 3, 4]
    failed = [fact for fact in await stage.outcomes() if isinstance(fact, AlertFailed)]
    assert [fact.error for fact in failed] == ["more than 2 messages wait for notebook"] * 2


async def test_waiting_messages_travel_together(stage: Stage) -> None:
    together = Notebook()
    together.longest = 2000
    dispatch = Dispatch(together, stage.bus, lambda _: None)
    messages = [stage.story.hear(stage.story.fact("connection_restored"))[0] for _ in range(30)]
    for message in messages:
        dispatch.offer(Due(message, 1))
    work = asyncio.create_task(dispatch.run())
    await asyncio.wait_for(dispatch.drained(), PATIENCE_SECONDS)
    work.cancel()
    assert len(together.texts) < 5
    assert "\n".join(together.texts).split("\n") == [message.text for message in messages]
    assert max(map(len, together.texts)) <= 2000
    assert len(await stage.outcomes()) == 30


async def test_what_cannot_be_decoded_is_put_aside_and_the_next_fact_is_told(stage: Stage, notebook: Notebook) -> None:
    async with stage.notifier(notebook):
        subject = event_subject(stage.story.fact("heartbeat").session_id, "runner", "error")
        await stage.bus.connection.client.jetstream().publish(subject, b"garbage")
        await stage.tell("limit_breached")
        await until(lambda: notebook.texts)
    aside = [delivery async for delivery in stage.bus.read(DEADLETTER, ["deadletter.notifier"])]
    assert [(d.payload, d.headers["Leitstand-Subject"]) for d in aside] == [(b"garbage", subject)]


async def test_outcomes_wait_for_a_server_that_restarts(stage: Stage, notebook: Notebook) -> None:
    async with stage.notifier(notebook):
        await stage.tell("runner_start")
        await until(lambda: notebook.texts)
        stage.server.kill()
        with stage.server.again():
            await stage.tell("limit_breached")
            await until(lambda: len(notebook.texts) == 2)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(await stage.outcomes()) < 2:
                    await asyncio.sleep(0.05)


def test_a_position_counts_only_what_is_settled_in_order(tmp_path: Path) -> None:
    position = Position.load(tmp_path / "deep" / "position.json")
    position.save()
    assert position.stored is None
    position.begin(10, 0)
    position.begin(11, 2)
    position.begin(12, 1)
    position.settle(12)
    position.settle(11)
    assert position.sequence == 10
    position.settle(11)
    assert position.sequence == 12
    position.save()
    assert Position.load(tmp_path / "deep" / "position.json").stored == 12


def test_a_spoilt_position_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "position.json").write_text("{}")
    with pytest.raises(FatalError, match=r"position\.json can't be read .* remove it"):
        Position.load(tmp_path / "position.json")


def _environment(data: Path, telegram: TelegramServer, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LD_LIBRARY_PATH")}
    named = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": str(CHAT_ID), "TELEGRAM_API_URL": telegram.url}
    return {**kept, "DATA_DIR": str(data), "PYTHONPATH": str(ROOT), **named, **more}


async def test_as_a_process_it_tells_measures_and_ends_in_good_order(stage: Stage, telegram: TelegramServer) -> None:
    environment = _environment(stage.data, telegram, NATS_URL=stage.server.url, LOG_LEVEL="DEBUG")
    process = subprocess.Popen(
        [sys.executable, "-m", "services.notifier"], env=environment, cwd=stage.data, stderr=subprocess.PIPE, text=True
    )
    try:
        await until(lambda: process.poll() is not None or (stage.data / "notifier" / "position.json").exists())
        await stage.tell("runner_start")
        await until(lambda: telegram.received)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await stage.outcomes()) < 2:
                await asyncio.sleep(0.05)
        url = (stage.data / "run" / "metrics-notifier.url").read_text().strip()
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{url}/metrics").read().decode())
        assert 'leitstand_alerts_total{channel="telegram",outcome="sent"} 1.0' in answer
        assert 'leitstand_alerts_total{channel="log",outcome="failed"} 0.0' in answer
        assert await stage.bus.latest(EVENTS, [event_subject(STACK, "notifier", "heartbeat")])
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.to_thread(process.communicate, timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert "demo: session started" in errors
    assert TOKEN not in errors
    assert json.loads((stage.data / "notifier" / "position.json").read_text())["sequence"] >= 1


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({}, 0, "log: sent, 1 attempt\ntelegram: sent, 1 attempt\n"),
        ({"TELEGRAM_CHAT_ID": "1"}, 1, "telegram: failed: Telegram answered 400 Bad Request: chat not found"),
        ({"TELEGRAM_CHAT_ID": "no-number"}, 2, ""),
    ],
)
def test_the_test_command_says_what_happened_on_each_channel(
    tmp_path: Path, telegram: TelegramServer, changes: dict[str, str], status: int, says: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.notifier", "test"],
        env=_environment(tmp_path, telegram, **changes),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert says in done.stdout
    assert TOKEN not in done.stdout + done.stderr


def test_the_test_command_says_how_telegram_is_set_up(tmp_path: Path, telegram: TelegramServer) -> None:
    environment = _environment(tmp_path, telegram)
    for name in ("TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"):
        del environment[name]
    done = subprocess.run(
        [sys.executable, "-m", "services.notifier", "test"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, telegram.received) == (0, [])
    assert "set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID" in done.stdout
