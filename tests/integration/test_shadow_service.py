"""A session with a shadow on a real server: through the death of its runner the curve is the backtest's."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from deploy.embedded.nats_server import start_nats
from services.runner.core.plan import plan
from services.runner.setting_up import Options, configured, with_feed
from services.runner.shadow import backtest_beside
from shared.runtime.bus import Bus
from shared.schemas.codec import decode
from shared.schemas.envelope import Event
from shared.schemas.market import ShadowMarked
from shared.schemas.subjects import EVENTS, every_session
from tests.bus_facts import settings_for
from tests.rehearsal import SESSION
from tests.service_process import PATIENCE_SECONDS, service_process

TRADED = """
name = "shadowed"
symbols = ["BTCUSDT"]
timeframe = "1m"
initial_capital = 10000
warmup_bars = 10
[feed]
kind = "simulated"
seed = 3
bars = 60
start = 2026-01-05T00:00:00Z
[sizing]
fraction = 0.4
stop_distance = 0.02
[[strategies]]
name = "ema_crossover"
params = { fast = 2, slow = 4 }
[shadow]
strategies = [{ name = "ema_crossover", params = { fast = 3, slow = 6 } }]
"""


async def until_stored(bus: Bus, kind: str, count: int = 1) -> None:
    subject = every_session("runner", kind)
    async with asyncio.timeout(PATIENCE_SECONDS), aclosing(bus.follow(EVENTS, [subject], 1)) as stored:
        async for _ in stored:
            count -= 1
            if not count:
                return


async def marks(bus: Bus) -> list[Event]:
    return [
        decode(one.subject, one.payload) async for one in bus.read(EVENTS, [every_session("runner", "shadow_marked")])
    ]


def backtested(session: Path) -> list[ShadowMarked]:
    config, feed = with_feed(configured(Options(session)), ())
    told: list[Event] = []
    backtest_beside(plan(SESSION, config), feed, told.append)
    return [fact for fact in told if isinstance(fact, ShadowMarked)]


async def test_a_runner_that_is_killed_and_started_again_goes_on_with_its_shadow(tmp_path: Path) -> None:
    session = tmp_path / "shadowed.toml"
    session.write_text(TRADED)
    with start_nats(tmp_path / "nats") as server:
        bus = await Bus.connect(settings_for(server.url), "runner")
        await bus.ensure_streams()
        environment = {"NATS_URL": server.url, "DATA_DIR": str(tmp_path / "data")}
        run = ("run", "--session", str(session), "--speed")
        with service_process("risk", tmp_path / "guard", environment):
            with service_process("runner", tmp_path / "killed", environment, *run, "60") as killed:
                await until_stored(bus, "shadow_marked", count=3)
                killed.kill()
            with service_process("runner", tmp_path / "second", environment, *run, "max") as second:
                await until_stored(bus, "runner_end")
                assert await asyncio.to_thread(second.status) == 0
        told = await marks(bus)
        await bus.close()
    assert len({mark.session_id for mark in told}) == 1
    assert [mark.details for mark in told] == [mark.details for mark in backtested(session)]
    assert len({mark.details.equity for mark in backtested(session)}) > 5
