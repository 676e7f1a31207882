"""What `doctor` says of the Binance test server, and of each flaw that is planted there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.runner.live.opening import LiveMarket
from services.runner.preflight.finding import Finding, failures
from shared.runtime import clock
from shared.runtime.keys import load_or_create_seed, signer
from shared.runtime.session_file import load_session
from shared.runtime.settings import Settings, load_settings
from tests.service_process import ROOT, ServiceProcess
from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.orders import Wanted
from tests.venues.binance.server import BinanceServer
from tests.venues.binance.venue import wall_clock
from tests.venues.faults import Fault
from tests.venues.market import candle

SESSION = ROOT / "config" / "binance.toml"


class Skewed:
    """The venue's clock, so far behind ours."""

    behind = timedelta(0)

    def __call__(self) -> int:
        return wall_clock() - int(self.behind / timedelta(milliseconds=1))


@dataclass
class Stage:
    """A venue with an account that is fit to trade with, and the settings that lead there."""

    server: BinanceServer
    folder: Path
    clock: Skewed

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
    skewed = Skewed()
    async with BinanceServer(clock=skewed) as server:
        server.account.fund(USDT="5000", BTC="0.5")
        minute = clock.now().replace(second=0, microsecond=0)
        for ago in (3, 2, 1):
            await server.market.play(candle("BTCUSDT", minute - timedelta(minutes=ago), "60000"))
        yield Stage(server, tmp_path, skewed)


async def test_a_fit_account_passes_every_line(stage: Stage) -> None:
    found = await stage.examined()
    assert not failures(found.values())


Plant = Callable[[Stage], object]


def _restrict(**changed: bool) -> Plant:
    return lambda stage: stage.server.account.restrictions.update(changed)  # type: ignore[union-attr]


def _symbol(**changed: object) -> Plant:
    def plant(stage: Stage) -> None:
        for name, value in changed.items():
            setattr(stage.server.venue.symbols["BTCUSDT"], name, value)

    return plant


def _clock(seconds: float) -> Plant:
    return lambda stage: setattr(stage.clock, "behind", timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("plant", "name", "words"),
    [
        (_restrict(enableWithdrawals=True), "key: withdrawal", "may remove funds: enableWithdrawals"),
        (_restrict(enableInternalTransfer=True), "key: withdrawal", "enableInternalTransfer"),
        (_restrict(permitsUniversalTransfer=True), "key: withdrawal", "permitsUniversalTransfer"),
        (_restrict(enableSpotAndMarginTrading=False), "key: trading", "may not trade spot"),
        (lambda stage: setattr(stage.server.account, "can_trade", False), "account", "canTrade is false"),
        (lambda stage: stage.server.account.fund(USDT="12.5"), "balance", "12.5 USDT free; the session may use 1,000"),
        (_symbol(status="HALT"), "symbols", "not traded now: BTCUSDT (HALT)"),
        (lambda stage: stage.server.venue.symbols.pop("BTCUSDT"), "symbols", "does not know BTCUSDT"),
        (_symbol(base="BTCU", quote="SDT"), "symbols", "not quoted in USDT: BTCUSDT (SDT)"),
        (_symbol(types=("LIMIT", "MARKET")), "order types", "BTCUSDT has no stop_limit"),
        (_symbol(min_notional=Decimal(600)), "order sizes", "below the smallest order value of 600"),
        (_symbol(min_notional=Decimal(330)), "order sizes", "the stop of an entry of 333.33 USDT is too small"),
        (_clock(-1.7), "clock", "ms behind, ± "),
        (_clock(2.5), "clock", "1,000 ms is the bound"),
    ],
)
async def test_a_planted_flaw_fails_its_line(stage: Stage, plant: Plant, name: str, words: str) -> None:
    plant(stage)
    found = await stage.examined()
    assert found[name].verdict == "FAIL"
    assert words in found[name].told
    assert found[name].advice
    assert {each.name for each in failures(found.values())} == {name}


@pytest.mark.parametrize(
    ("plant", "name", "words"),
    [
        (_restrict(ipRestrict=False), "key: addresses", "from any address"),
        (_restrict(enableMargin=True, enableFutures=True), "key: other rights", "enableMargin, enableFutures"),
        (_clock(0.8), "clock", "ms ahead, ± "),
    ],
)
async def test_a_lesser_flaw_is_a_warning(stage: Stage, plant: Plant, name: str, words: str) -> None:
    plant(stage)
    found = await stage.examined()
    assert found[name].verdict == "warn"
    assert words in found[name].told
    assert found[name].advice


async def test_a_right_that_the_venue_leaves_out_of_its_answer_is_no_pass(stage: Stage) -> None:
    assert stage.server.account.restrictions is not None
    del stage.server.account.restrictions["enableWithdrawals"]
    found = await stage.examined()
    assert found["account"].verdict == "FAIL"
    assert "can't be read" in found["account"].told


async def test_a_key_that_the_venue_does_not_know_fails_with_what_to_do(stage: Stage) -> None:
    found = await stage.examined(BINANCE_API_KEY="another-made-up-key")
    assert found["account"].verdict == "FAIL"
    assert "-2015" in found["account"].told
    assert "check the key" in found["account"].advice


async def test_on_the_testnet_the_keys_rights_are_said_to_be_unchecked(stage: Stage) -> None:
    stage.server.account.restrictions = None
    found = await stage.examined("testnet")
    assert [found[name].verdict for name in ("key: withdrawal", "key: trading")] == ["warn", "warn"]
    assert "testnet does not tell" in found["key: withdrawal"].told
    assert not failures(found.values())
    assert "GET /sapi/v1/account/apiRestrictions" not in {each.name for each in stage.server.requests}


async def test_a_dry_run_asks_only_what_everybody_may_ask(stage: Stage) -> None:
    found = await stage.examined("dry_run")
    assert not failures(found.values())
    assert {"venue", "clock", "symbols", "order types", "order sizes"} <= set(found)
    assert not {"account", "balance", "key: trading", "open orders"} & set(found)
    assert all("signature" not in each.parameters for each in stage.server.requests)


async def test_missing_keys_are_named_and_the_market_is_looked_at_all_the_same(stage: Stage) -> None:
    environment = stage.environment("testnet")
    del environment["BINANCE_TESTNET_API_KEY"], environment["BINANCE_TESTNET_SECRET_KEY"]
    async with LiveMarket(load_session(SESSION), load_settings(environment, dotenv=None)) as market:
        found = {each.name: each for each in await market.examined()}
    assert "BINANCE_TESTNET_API_KEY and BINANCE_TESTNET_SECRET_KEY are not set" in found["keys"].told
    assert found["clock"].verdict == "pass"


async def test_a_venue_that_does_not_answer_is_told_with_what_to_do(stage: Stage) -> None:
    stage.server.faults.rate(Fault.REQUEST_LOST, 1.0)
    found = await stage.examined()
    assert found["venue"].verdict == "FAIL"
    assert "BINANCE_BASE_URL" in found["venue"].advice
    assert "clock" not in found


async def test_a_venue_that_has_banned_us_is_told_with_how_long_to_wait(stage: Stage) -> None:
    stage.server.faults.rate(Fault.BANNED, 1.0)
    assert "stay away for 1 s" in (await stage.examined())["venue"].advice


async def test_orders_that_are_not_ours_are_reported_and_left_alone(stage: Stage) -> None:
    exchange = stage.server.account.exchange
    for name in ("web_1", "lt-from-before"):
        exchange.place(Wanted("BTCUSDT", "BUY", "LIMIT", name, qty=Decimal("0.001"), price=Decimal(50000)))
    found = await stage.examined()
    assert found["open orders"].verdict == "warn"
    assert found["open orders"].told == "1 not ours (web_1), 1 of another session of ours (lt-from-before)"
    assert len(exchange.books.open_orders("BTCUSDT")) == 2


async def test_loading_markets_with_a_key_asks_for_nothing_about_margin(stage: Stage) -> None:
    await stage.examined()
    assert not [each.name for each in stage.server.requests if "margin" in each.name]


async def test_a_session_begins_only_on_what_the_preflight_allows(stage: Stage) -> None:
    stage.server.account.fund(USDT="12.5")
    stage.server.account.can_trade = False
    async with LiveMarket(load_session(SESSION), stage.settings("testnet")) as market:
        opened = await market.opened()
    assert [each.name for each in failures(opened.findings)] == ["account", "balance"]


async def process(
    stage: Stage, nats_url: str, mode: str, command: str, session: Path = SESSION, **changed: str
) -> tuple[int, str]:
    """The command as a process: its exit status and what it said."""
    key, _ = signer(load_or_create_seed(stage.folder / "risk.seed"))
    environment = stage.environment(mode, **{"NATS_URL": nats_url, "RISK_PUBLIC_KEY": key} | changed)
    run = ServiceProcess("runner", stage.folder, environment, command, "--session", str(session))
    return await asyncio.to_thread(run.status), run.said


async def test_the_command_tells_a_table_and_ends_with_one_where_a_line_failed(stage: Stage, nats_url: str) -> None:
    assert stage.server.account.restrictions is not None
    stage.server.account.restrictions["enableWithdrawals"] = True
    status, said = await process(stage, nats_url, "live", "doctor")
    assert status == 1
    assert "✗ FAIL  key: withdrawal  the key may remove funds: enableWithdrawals" in said
    assert "→ take these rights from the key" in said
    assert "\x1b" not in said
    assert SECRET not in said
    assert KEY not in said


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"DRY_RUN": "perhaps"}, "✗ FAIL  settings"),
        ({"RISK_PUBLIC_KEY": "no key"}, "✗ FAIL  guard's key"),
        ({"RISK_PUBLIC_KEY": ""}, "✗ FAIL  guard's key"),
        ({}, "✗ FAIL  guard        never heard of"),
    ],
)
async def test_the_command_finds_what_is_missing_around_the_session(
    stage: Stage, nats_url: str, changed: dict[str, str], line: str
) -> None:
    status, said = await process(stage, nats_url, "dry_run", "doctor", SESSION, **changed)
    assert (status, line in said) == (1, True), said


@pytest.mark.parametrize(
    ("was", "planted"),
    [
        ('timeframe = "1m"', 'timeframe = "1.5m"'),
        ('name = "ema_crossover"', 'name = "ema_crosover"'),
        ("[sizing]", "[sizes]"),
    ],
)
async def test_the_command_finds_a_session_file_that_says_what_nobody_knows(
    stage: Stage, nats_url: str, was: str, planted: str
) -> None:
    text = SESSION.read_text()
    assert was in text
    broken = stage.folder / "session.toml"
    broken.write_text(text.replace(was, planted))
    status, said = await process(stage, nats_url, "dry_run", "doctor", broken)
    assert (status, "✗ FAIL  session" in said, f"→ correct {broken}" in said) == (1, True, True), said
    assert stage.server.requests == []


async def test_a_session_for_real_money_does_not_begin_before_it_is_earned(stage: Stage, nats_url: str) -> None:
    status, said = await process(stage, nats_url, "live", "run")
    assert status == 2
    assert "0 of 7 days with the same strategies at binance's testnet" in said
    assert "set TOTP_SECRET for the guard" in said
    assert stage.server.account.exchange.books.orders == {}


async def test_a_simulated_market_has_no_lines_of_a_venue_and_a_bus_that_is_gone_fails(stage: Stage) -> None:
    status, said = await process(stage, "nats://127.0.0.1:1", "dry_run", "doctor", ROOT / "config" / "demo.toml")
    assert status == 1
    assert "✗ FAIL  bus" in said
    assert "✓ pass  risk" in said
    assert "clock" not in said
    assert stage.server.requests == []


async def test_a_simulated_market_is_for_dry_runs_only(stage: Stage, nats_url: str) -> None:
    status, said = await process(stage, nats_url, "testnet", "doctor", ROOT / "config" / "demo.toml")
    assert status == 1
    assert "✗ FAIL  mode" in said
    assert "orders go to the paper venue only" in said


async def test_a_session_that_the_preflight_forbids_does_not_begin_and_names_every_failed_line(
    stage: Stage, nats_url: str
) -> None:
    stage.server.account.fund(USDT="12.5")
    stage.server.account.can_trade = False
    status, said = await process(stage, nats_url, "testnet", "run")
    assert status == 2
    assert "account: the account may not trade: canTrade is false" in said
    assert "balance: 12.5 USDT free; the session may use 1,000 USDT; pay in USDT" in said


async def test_calls_are_measured_by_their_kind_and_failures_by_what_they_left_behind(stage: Stage) -> None:
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, {"venue": "binance", **labels}) or 0.0

    def calls() -> float:
        return count("leitstand_venue_call_seconds_count", call="privateGetAccount")

    def refused() -> float:
        return count("leitstand_venue_call_errors_total", call="privateGetAccount", fate="fatal")

    stage.clock.behind = timedelta(seconds=3)
    before = calls(), refused()
    await stage.examined()
    assert (calls() > before[0], refused()) == (True, before[1])
    await stage.examined(BINANCE_API_KEY="another-made-up-key")
    assert refused() == before[1] + 1
    assert count("leitstand_venue_clock_offset_seconds") == pytest.approx(3, abs=0.5)
