"""The guard as a process against a real NATS server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
import structlog

from deploy.embedded.nats_server import NatsServer, start_nats
from services.risk.cli.arguments import parser
from services.risk.cli.ask import ask
from services.risk.cli.status import status
from services.risk.running import guard
from shared.domain.approval import UnapprovedError, admit
from shared.runtime.bus import Bus
from shared.runtime.health import Health
from shared.runtime.keys import verifier
from shared.runtime.service import Context
from shared.runtime.settings import Settings, load_settings
from shared.schemas.codec import decode
from shared.schemas.envelope import Event
from shared.schemas.guard import CommandRefused, TradingHalted, TradingResumed
from shared.schemas.orders import OrderApproved, OrderRefused
from shared.schemas.subjects import ALL_EVENTS, DEADLETTER, EVENTS
from shared.schemas.values import STACK
from tests.guard_story import SESSION, Story, exit_ticket, ticket

PATIENCE_SECONDS = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with start_nats(tmp_path / "nats") as server:
        yield server


class Stage:
    """A server, a bus under the runner's name, and guards that come and go."""

    def __init__(self, server: NatsServer, bus: Bus, data: Path) -> None:
        self.server, self.bus, self.data = server, bus, data

    def settings(self, **environ: str) -> Settings:
        return load_settings({"NATS_URL": self.server.url, "DATA_DIR": str(self.data), **environ}, None)

    @asynccontextmanager
    async def guard(self, crash: bool = False, **environ: str) -> AsyncIterator[None]:
        """A guard that stands until the end of the block, and then ends in good order or without a word."""
        settings = self.settings(**environ)
        bus = await Bus.connect(settings, "risk")
        health = Health("127.0.0.1", 0)
        context = Context("risk", settings, bus, structlog.get_logger(), health, asyncio.Event())
        work = asyncio.create_task(guard(context))
        try:
            yield
        finally:
            work.cancel() if crash else context.stopping.set()
            await asyncio.wait([work])
            health.close()
            await bus.close()

    async def command_line(self, *words: str) -> int:
        """The exit status of `python -m services.risk <words>`."""
        arguments = parser().parse_args(words)
        act = status if arguments.command == "status" else ask
        return await act(arguments, self.settings())

    async def shout(self, subject: str, payload: bytes = b"") -> None:
        """Publish as any NATS client would."""
        client = await nats.connect(self.server.url)
        await client.publish(subject, payload)
        await client.drain()

    async def await_fact(self, kind: type[Event], session_id: str = SESSION, count: int = 1) -> Event:
        """The `count`-th fact of `kind` in a session, once it is stored."""
        return await asyncio.wait_for(self._await_fact(kind, session_id, count), PATIENCE_SECONDS)

    async def _await_fact(self, kind: type[Event], session_id: str, count: int) -> Event:
        async for delivery in self.bus.follow(EVENTS, [ALL_EVENTS], 1):
            if not delivery.subject.endswith(f".{kind.model_fields['type'].default}"):
                continue
            fact = decode(delivery.subject, delivery.payload)
            count -= fact.session_id == session_id
            if not count:
                return fact
        raise AssertionError("a stream does not end")

    async def told(self) -> list[Event]:
        """Everything that the guard has told so far, heartbeats excepted."""
        facts = [decode(item.subject, item.payload) async for item in self.bus.read(EVENTS, ["events.*.risk.*"])]
        return [fact for fact in facts if fact.type != "heartbeat"]


@pytest.fixture
async def stage(server: NatsServer, tmp_path: Path) -> AsyncIterator[Stage]:
    data = tmp_path / "data"
    bus = await Bus.connect(load_settings({"NATS_URL": server.url, "DATA_DIR": str(data)}, None), "runner")
    await bus.ensure_streams()
    yield Stage(server, bus, data)
    await bus.close()


async def test_enables_a_session_and_signs_an_order_that_the_runner_can_check(stage: Stage) -> None:
    story = Story()
    async with stage.guard():
        await stage.bus.append([story.start(), story.close("100"), story.intend(ticket())])
        await stage.await_fact(TradingResumed)
        approval = await stage.await_fact(OrderApproved)
    assert isinstance(approval, OrderApproved)
    verify = verifier((stage.data / "keys" / "risk.pub").read_text())
    assert admit(approval, verify, story.now).ticket == ticket()
    assert (stage.data / "keys" / "risk.seed").stat().st_mode & 0o777 == 0o600


async def test_an_empty_kill_from_any_client_is_latched_across_a_restart_until_a_valid_resume(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story()
    async with stage.guard():
        await stage.bus.append([story.start(), story.close("100")])
        await stage.await_fact(TradingResumed)
        await stage.shout("control.kill")
        await stage.await_fact(TradingHalted)
        await stage.await_fact(TradingHalted, STACK)
    async with stage.guard():
        await stage.bus.append([story.intend(ticket())])
        refused = await stage.await_fact(OrderRefused)
        assert isinstance(refused, OrderRefused)
        assert refused.details.rule == "killed"
        await stage.shout("control.resume", b"please")
        await stage.await_fact(CommandRefused, STACK)
        assert await stage.command_line("resume", "--reason", "checked", "--operator", "anna") == 0
        assert "the guard carried it out" in capsys.readouterr().out
        await stage.bus.append([story.intend(ticket("b"))])
        await stage.await_fact(OrderApproved)


async def test_a_kill_sent_while_the_guard_is_down_comes_before_the_verdict_on_a_waiting_order(stage: Stage) -> None:
    story = Story()
    await stage.bus.append([story.start(), story.close("100"), story.intend(ticket())])
    await stage.bus.command("kill", None, b"\xff\x00{")
    async with stage.guard():
        refused = await stage.await_fact(OrderRefused)
    assert isinstance(refused, OrderRefused)
    assert refused.details.rule == "killed"
    assert [fact.type for fact in await stage.told()] == ["trading_halted", "trading_halted", "order_refused"]


async def test_a_restart_repeats_nothing_and_answers_what_was_left_open(stage: Stage) -> None:
    story, order = Story(), ticket()
    async with stage.guard(crash=True):
        await stage.bus.append([story.start(), story.close("100"), story.intend(order)])
        await stage.await_fact(OrderApproved)
    await stage.bus.append([story.fill(order), story.close("101"), story.mark(awaits_guard=True)])
    async with stage.guard():
        await stage.bus.append([story.intend(exit_ticket())])
        await stage.await_fact(OrderApproved, count=2)
    kinds = [fact.type for fact in await stage.told()]
    assert kinds == ["trading_resumed", "order_approved", "equity_marked", "order_approved"]


@pytest.mark.parametrize("damage", [False, True])
async def test_goes_on_from_its_snapshot_and_without_a_usable_one_from_the_stream(
    stage: Stage, damage: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    story, order, path = Story(), ticket(), stage.data / "snapshots" / "risk" / "guard.snapshot"
    async with stage.guard():
        await stage.bus.append([story.start(), story.close("100"), story.intend(order)])
        await stage.await_fact(OrderApproved)
    if damage:
        path.write_bytes(path.read_bytes()[:-1])
    await stage.bus.append([story.fill(order), story.close("101")])
    async with stage.guard():
        await stage.bus.append([story.intend(exit_ticket()), story.intend(exit_ticket("y"))])
        await stage.await_fact(OrderApproved, count=2)
        refused = await stage.await_fact(OrderRefused)
    assert isinstance(refused, OrderRefused)
    assert refused.details.rule == "reduce_only"
    assert ("snapshot passed over" in capsys.readouterr().out) == damage


async def test_each_guard_signs_with_an_epoch_of_its_own_that_is_higher_than_all_before(stage: Stage) -> None:
    story = Story()
    async with stage.guard(crash=True):
        await stage.bus.append([story.start(), story.close("100"), story.intend(ticket())])
        first = await stage.await_fact(OrderApproved)
    async with stage.guard():
        await stage.bus.append([story.intend(ticket("b"))])
        second = await stage.await_fact(OrderApproved, count=2)
    assert isinstance(first, OrderApproved)
    assert isinstance(second, OrderApproved)
    assert 0 < first.details.epoch < second.details.epoch
    verify = verifier((stage.data / "keys" / "risk.pub").read_text())
    with pytest.raises(UnapprovedError, match="stands guard by now"):
        admit(first, verify, story.now, second.details.epoch)


async def test_what_cannot_be_decoded_goes_to_the_dead_letters_once_and_the_guard_goes_on(stage: Stage) -> None:
    story = Story()
    async with stage.guard():
        await stage.bus.append([story.start(), story.close("100")])
        await stage.shout(f"events.{SESSION}.runner.order_intended", b"{}")
        await stage.shout("events.x.runner.no_such_fact", b"\x00")
        await stage.bus.append([story.intend(ticket())])
        await stage.await_fact(OrderApproved)
    async with stage.guard():
        await stage.bus.append([story.intend(exit_ticket())])
        await stage.await_fact(OrderRefused)
    letters = [letter async for letter in stage.bus.read(DEADLETTER, ["deadletter.risk"])]
    assert len(letters) == 2
    assert "unknown event type" in letters[1].headers["Leitstand-Reason"]


async def test_comes_up_stopped_where_kill_switch_is_set(stage: Stage) -> None:
    story = Story()
    async with stage.guard(KILL_SWITCH="true"):
        halted = await stage.await_fact(TradingHalted, STACK)
        await stage.bus.append([story.start()])
        await stage.await_fact(TradingHalted)
    assert isinstance(halted, TradingHalted)
    assert halted.details.operator == "KILL_SWITCH"


async def test_the_command_line_says_when_no_guard_answers_and_the_kill_counts_later(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.risk.cli.ask.ANSWER_WITHIN_SECONDS", 0.2)
    assert await stage.command_line("kill", "fire in the hall", "--json") == 3
    assert json.loads(capsys.readouterr().out)["outcome"] == "unanswered"
    async with stage.guard():
        halted = await stage.await_fact(TradingHalted, STACK)
    assert isinstance(halted, TradingHalted)
    assert halted.details.reason == "fire in the hall"


async def test_a_limit_is_lowered_from_a_terminal_and_stays_so_for_the_next_guard(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    story, words = Story(), ("limit", "max_open_orders", "--session", SESSION, "--reason", "calmer")
    async with stage.guard():
        await stage.bus.append([story.start(), story.close("100")])
        await stage.await_fact(TradingResumed)
        assert await stage.command_line(*words, "1") == 0
        assert await stage.command_line(*words, "2") == 1
        assert "enrol-totp" in capsys.readouterr().out
    async with stage.guard():
        await stage.bus.append([story.intend(ticket("a")), story.intend(ticket("b"))])
        refused = await stage.await_fact(OrderRefused)
    assert isinstance(refused, OrderRefused)
    assert refused.details.rule == "max_open_orders"
    capsys.readouterr()
    assert await stage.command_line("status", "--json") == 0
    limits = {limit["limit"]: limit for limit in json.loads(capsys.readouterr().out)["sessions"][0]["limits"]}
    assert (limits["max_open_orders"]["bound"], limits["max_open_orders"]["headroom"]) == ("1", "0")


async def test_status_tells_the_latch_the_sessions_and_the_use_of_limits(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story()
    async with stage.guard():
        await stage.bus.append([story.start(), story.close("100"), story.intend(ticket())])
        await stage.await_fact(OrderApproved)
        assert await stage.command_line("status") == 0
        text = capsys.readouterr().out
        assert await stage.command_line("status", "--json") == 0
        as_json = capsys.readouterr().out
    assert "stack: trading" in text
    limits = {limit["limit"]: limit for limit in json.loads(as_json)["sessions"][0]["limits"]}
    assert limits["max_open_orders"]["used"] == "1"
    assert limits["max_open_exposure"]["used"] == "0.01"
