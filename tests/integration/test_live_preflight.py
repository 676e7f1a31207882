"""A session on the Binance test server from its preflight on: what it tells when trading begins, and of changes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.runner.live import health
from services.runner.service import trade
from services.runner.setting_up import Options
from shared.runtime import clock
from shared.runtime.errors import SettingsError
from shared.runtime.settings import load_settings
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Checkpoint, RunnerStart
from tests.memory_stage import MemoryStage
from tests.service_process import ROOT
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.server import BinanceServer
from tests.venues.faults import Fault
from tests.venues.market import candle

SESSION = ROOT / "config" / "binance.toml"
BEFORE_THE_BAR_CLOSES = timedelta(seconds=3)


class LiveStage:
    """A runner and a guard on a bus in memory, in front of a venue on real sockets."""

    def __init__(self, server: BinanceServer, folder: Path) -> None:
        self.server = server
        self.memory = MemoryStage(folder, SESSION, folder)
        self.memory.settings = load_settings(
            {
                "NATS_URL": "nats://127.0.0.1:1",
                "DATA_DIR": str(folder),
                "DRY_RUN": "false",
                "BINANCE_TESTNET_API_KEY": KEY,
                "BINANCE_TESTNET_SECRET_KEY": SECRET,
                "BINANCE_BASE_URL": server.url,
                "BINANCE_WS_URL": server.ws_url,
                "BINANCE_WS_API_URL": server.ws_url,
            },
            dotenv=None,
        )
        self.context = self.memory.context("runner")

    async def trade(self) -> int:
        return await trade(self.context, Options(SESSION))

    async def until(self, told: Callable[[Event], bool]) -> Event:
        """The first fact of the runner that is meant."""
        async with asyncio.timeout(60):
            while True:
                for fact in await self.memory.told("runner"):
                    if told(fact):
                        return fact
                await asyncio.sleep(0.05)


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveStage]:
    real = clock.now
    begun = real()
    ahead = begun.replace(second=0, microsecond=0) + timedelta(minutes=1) - BEFORE_THE_BAR_CLOSES - begun

    def now() -> datetime:
        return real() + ahead

    monkeypatch.setattr(clock, "now", now)
    monkeypatch.setattr(health, "EVERY_SECONDS", 0.2)
    monkeypatch.setattr(health, "SECOND_LOOK_SECONDS", 0.05)
    async with BinanceServer(clock=lambda: int(now().timestamp() * 1000)) as server:
        server.account.fund(USDT="5000")
        minute = now().replace(second=0, microsecond=0)
        for ago in range(201, -1, -1):
            await server.market.play(candle("BTCUSDT", minute - timedelta(minutes=ago), "60000"))
        yield LiveStage(server, tmp_path)


def check(name: str, status: str) -> Callable[[Event], bool]:
    return lambda fact: isinstance(fact, Checkpoint) and (fact.details.name, fact.status) == (name, status)


def kind(name: str) -> Callable[[Event], bool]:
    return lambda fact: fact.type == name


async def test_a_session_tells_its_preflight_where_trading_begins_and_then_what_changes(stage: LiveStage) -> None:
    async with stage.memory.guarded():
        trading = asyncio.create_task(stage.trade())
        begun = await stage.until(check("key: withdrawal", "pass"))
        assert (begun.phase, begun.level) == ("api_phase", "warning")
        for name in ("mode", "clock", "symbols", "order types", "balance", "risk"):
            assert (await stage.until(check(name, "pass"))).phase == "api_phase"
        stage.server.account.can_trade = False
        assert (await stage.until(check("account", "fail"))).level == "error"
        stage.server.faults.rate(Fault.REQUEST_LOST, 1.0, "GET /api/v3/time")
        await stage.until(kind("connection_lost"))
        stage.server.faults.clear()
        await stage.until(kind("connection_restored"))
        stage.context.stopping.set()
        assert await asyncio.wait_for(trading, 60) == 0


async def test_a_session_that_the_preflight_forbids_leaves_no_trace_of_a_beginning(stage: LiveStage) -> None:
    stage.server.account.can_trade = False
    async with stage.memory.guarded():
        with pytest.raises(SettingsError, match="binance can't begin: account: the account may not trade: canTrade"):
            await asyncio.wait_for(stage.trade(), 60)
    assert not [fact for fact in await stage.memory.told("runner") if isinstance(fact, RunnerStart)]


async def test_a_session_under_way_goes_on_whatever_the_preflight_finds(stage: LiveStage) -> None:
    async with stage.memory.guarded():
        first = asyncio.create_task(stage.trade())
        await stage.until(kind("equity_marked"))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        stage.server.account.can_trade = False
        stage.context.stopping.set()
        assert await asyncio.wait_for(stage.trade(), 60) == 0
    assert len([fact for fact in await stage.memory.told("runner") if isinstance(fact, RunnerStart)]) == 1
