"""What `doctor` says of the Binance test server, and of each flaw that is planted there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.runner.live.opening import LiveMarket
from services.runner.preflight.finding import Finding, failures
from shared.runtime import clock
from shared.runtime.errors import SettingsError
from shared.runtime.session_file import load_session
from shared.runtime.settings import Settings, load_settings
from tests.service_process import ROOT, ServiceProcess
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.server import BinanceServer
from tests.venues.binance.venue import wall_clock
from tests.venues.faults import Fault
from tests.venues.market import candle

SESSION = ROOT / "config" / "binance.toml"


@dataclass
class Stage:
    """A venue with an account that is fit to trade with, and the settings that lead there."""

    server: BinanceServer
    folder: Path
    behind: timedelta = timedelta(0)

    def environment(self, mode: str = "live", **changed: str) -> dict[str, str]:
        keys = {"testnet": "BINANCE_TESTNET_", "live": "BINANCE_"}
        found = {
            "BINANCE_BASE_URL": self.server.url,
            "BINANCE_WS_URL": self.server.ws_url,
            "BINANCE_WS_API_URL": self.server.ws_url,
            "DATA_DIR": str(self.folder / "data"),
        }
        if mode in keys:
            found |= {"DRY_RUN": "false", f"{keys[mode]}API_KEY": KEY, f"{keys[mode]}SECRET_KEY": SECRET}
        if mode == "live":
            found |= {"LIVE_TRADING": "true", "LIVE_ACK": "I_UNDERSTAND"}
        return found | changed

    def settings(self, mode: str = "live", **changed: str) -> Settings:
        return load_settings(self.environment(mode, **changed), dotenv=None)

    async def examined(self, mode: str = "live", **changed: str) -> dict[str, Finding]:
        """The findings by name; where several share one, the worst."""
        async with LiveMarket(load_session(SESSION), self.settings(mode, **changed)) as market:
            found = await market.examined()
        order = ("pass", "warn", "FAIL")
        return {each.name: each for each in sorted(found, key=lambda each: order.index(each.verdict))}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage.__new__(Stage)

    def skewed() -> int:
        return wall_clock() - int(stage.behind / timedelta(milliseconds=1))

    async with BinanceServer(clock=skewed) as server:
        stage.__init__(server, tmp_path)
        server.account.fund(USDT="5000", BTC="0.5")
        minute = clock.now().replace(second=0, microsecond=0)
        for ago in (3, 2, 1):
            await server.market.play(candle("BTCUSDT", minute - timedelta(minutes=ago), "60000"))
        yield stage


async def test_a_fit_account_passes_every_line_but_the_mode_that_this_version_refuses(stage: Stage) -> None:
    found = await stage.examined()
    assert [each.name for each in failures(found.values())] == ["mode"]
    for each in found.values():
        print(each)
