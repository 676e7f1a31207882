"""What `doctor` says of the Alpaca test server, and of each flaw that is planted there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.runner.live.opening import LiveMarket
from services.runner.preflight.finding import Finding, failures
from shared.runtime import clock
from shared.runtime.errors import SettingsError
from shared.runtime.keys import load_or_create_seed, signer
from shared.runtime.session_file import load_session
from shared.runtime.settings import load_settings
from shared.schemas.session import SessionConfig
from tests.service_process import ROOT, ServiceProcess
from tests.venues.alpaca.assets import Asset
from tests.venues.alpaca.calendar import EASTERN, Calendar, Session
from tests.venues.alpaca.raw_client import raw_client
from tests.venues.alpaca.server import AlpacaServer
from tests.venues.faults import Fault
from tests.venues.market import candle

SESSION = ROOT / "config" / "alpaca.toml"


@dataclass(frozen=True)
class Hours(Calendar):
    """The exchange trades all day long but on holidays: what the doctor says is not to hang on when the test runs."""

    def session(self, day: date) -> Session | None:
        opens, closes = (datetime.combine(day, at, EASTERN) for at in (time(0, 0), time(23, 59)))
        return None if day in self.holidays else Session(day, opens, closes)


class Skewed:
    """The venue's clock, so far behind ours."""

    behind = timedelta(0)

    def __call__(self) -> datetime:
        return clock.now() - self.behind


@dataclass
class Stage:
    """A venue with an account that is fit to trade with, and the settings that lead there."""

    server: AlpacaServer
    folder: Path
    clock: Skewed

    def environment(self, **changed: str) -> dict[str, str]:
        return {
            "DRY_RUN": "false",
            "ALPACA_PAPER_API_KEY": self.server.key,
            "ALPACA_PAPER_SECRET_KEY": self.server.secret,
            "ALPACA_BASE_URL": self.server.url,
            "ALPACA_DATA_URL": self.server.url,
            "ALPACA_STREAM_URL": self.server.ws_url,
            "DATA_DIR": str(self.folder / "data"),
        } | changed

    def live(self, config: SessionConfig | None = None, **changed: str) -> LiveMarket:
        return LiveMarket(config or load_session(SESSION), load_settings(self.environment(**changed), dotenv=None))

    async def examined(self, config: SessionConfig | None = None, **changed: str) -> dict[str, Finding]:
        """The findings by name; where several share one, the worst."""
        async with self.live(config, **changed) as market:
            found = await market.examined()
        order = ("pass", "warn", "FAIL")
        return {each.name: each for each in sorted(found, key=lambda each: order.index(each.verdict))}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    skewed = Skewed()
    assets = (Asset("SPY"), Asset("BTC/USD"))
    async with AlpacaServer(assets, clock=skewed, calendar=Hours(), cash=Decimal(5000)) as server:
        minute = clock.now().replace(second=0, microsecond=0)
        server.market.know(candle("SPY", minute - timedelta(minutes=ago), "600") for ago in (3, 2, 1))
        yield Stage(server, tmp_path, skewed)


async def test_a_fit_account_passes_every_line_that_alpaca_can_be_asked_for(stage: Stage) -> None:
    found = await stage.examined()
    assert not failures(found.values())
    told = {"mode", "keys", "venue", "clock", "symbols", "order types", "order sizes", "account", "balance", "risk"}
    assert told <= {name for name, finding in found.items() if finding.verdict == "pass"}


async def test_the_keys_rights_are_said_to_be_unchecked(stage: Stage) -> None:
    found = await stage.examined()
    assert [found[name].verdict for name in ("key: withdrawal", "key: trading")] == ["warn", "warn"]
    assert "Alpaca does not tell whether a key may withdraw" in found["key: withdrawal"].told
    assert "may neither withdraw nor transfer" in found["key: withdrawal"].advice


Plant = Callable[[Stage], object]


def _standing(**changed: object) -> Plant:
    def plant(stage: Stage) -> None:
        for name, value in changed.items():
            setattr(stage.server.standing, name, value)

    return plant


def _asset(**changed: Any) -> Plant:
    def plant(stage: Stage) -> None:
        asset = stage.server.exchange.assets["SPY"]
        stage.server.exchange.assets = {"SPY": replace(asset, **changed)}

    return plant


def _unlisted(stage: Stage) -> None:
    stage.server.exchange.assets = {}


def _cash(amount: str) -> Plant:
    return lambda stage: setattr(stage.server.books, "cash", Decimal(amount))


def _clock(seconds: float) -> Plant:
    return lambda stage: setattr(stage.clock, "behind", timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("plant", "name", "words"),
    [
        (_standing(trading_blocked=True), "account", "may not trade: trading_blocked"),
        (_standing(account_blocked=True), "account", "may not trade: account_blocked"),
        (_standing(trade_suspended_by_user=True), "account", "may not trade: trade_suspended_by_user"),
        (_standing(status="ACCOUNT_UPDATED"), "account", "may not trade: ACCOUNT_UPDATED"),
        (_cash("12.5"), "balance", "12.5 USD free; the session may use 1,000"),
        (_asset(tradable=False), "symbols", "not traded now: SPY (inactive)"),
        (_unlisted, "symbols", "does not know SPY"),
        (_asset(fractionable=False), "order sizes", "the quantity rounds down to zero"),
        (_clock(-1.7), "clock", "ms behind, ± "),
        (_clock(2.5), "clock", "1,000 ms is the bound"),
    ],
)
async def test_a_planted_flaw_fails_its_line_and_no_other(stage: Stage, plant: Plant, name: str, words: str) -> None:
    plant(stage)
    found = await stage.examined()
    assert found[name].verdict == "FAIL"
    assert words in found[name].told
    assert found[name].advice
    assert {each.name for each in failures(found.values())} == {name}


async def test_a_clock_that_is_off_by_less_is_a_warning(stage: Stage) -> None:
    stage.clock.behind = timedelta(seconds=0.8)
    found = await stage.examined()
    assert (found["clock"].verdict, "ms ahead, ± " in found["clock"].told) == ("warn", True)


@pytest.mark.parametrize("key", ["another-made-up-key", "AKTESTLIVE00000000001"])
async def test_a_key_that_is_not_accepted_is_told_as_such_and_not_as_a_broken_network(stage: Stage, key: str) -> None:
    found = await stage.examined(ALPACA_PAPER_API_KEY=key)
    assert found["venue"].verdict == "FAIL"
    assert "the key is not accepted" in found["venue"].told
    assert "check the key" in found["venue"].advice


async def test_missing_keys_are_named_and_nothing_is_asked_for_alpaca_tells_its_users_only(stage: Stage) -> None:
    environment = stage.environment()
    del environment["ALPACA_PAPER_API_KEY"], environment["ALPACA_PAPER_SECRET_KEY"]
    async with LiveMarket(load_session(SESSION), load_settings(environment, dotenv=None)) as market:
        found = {each.name: each for each in await market.examined()}
    assert "ALPACA_PAPER_API_KEY and ALPACA_PAPER_SECRET_KEY are not set" in found["keys"].told
    assert stage.server.requests == []


async def test_a_venue_that_does_not_answer_is_told_with_what_to_do(stage: Stage) -> None:
    stage.server.faults.rate(Fault.REQUEST_LOST, 1.0)
    found = await stage.examined()
    assert found["venue"].verdict == "FAIL"
    assert "ALPACA_BASE_URL" in found["venue"].advice
    assert "clock" not in found


async def test_a_limit_that_is_spent_is_told_with_how_long_to_wait(stage: Stage) -> None:
    stage.server.faults.rate(Fault.TOO_MANY_REQUESTS, 1.0)
    assert "stay away for 1 s" in (await stage.examined())["venue"].advice


@pytest.mark.parametrize("fault", [Fault.UNKNOWN_FIELDS, Fault.MISSING_FIELDS])
async def test_fields_that_are_new_or_missing_fail_no_line(stage: Stage, fault: Fault) -> None:
    stage.server.faults.rate(fault, 1.0)
    assert not failures((await stage.examined()).values())


async def test_an_exchange_that_is_closed_leaves_the_sizes_unchecked_and_says_so(stage: Stage) -> None:
    today = clock.now().date()
    stage.server.exchange.calendar = Hours(frozenset(today + timedelta(days=days) for days in range(-2, 3)))
    found = await stage.examined()
    assert found["order sizes"].verdict == "warn"
    assert "see that the market is open" in found["order sizes"].advice
    assert not failures(found.values())


async def test_a_pair_has_no_stop_orders_which_is_told_before_anything_is_asked(stage: Stage) -> None:
    config = load_session(SESSION)
    orders = config.orders.model_copy(update={"stop": "stop"})
    pair = config.model_copy(update={"symbols": ("BTC/USD",), "orders": orders})
    found = await stage.examined(pair)
    assert found["mode"].verdict == "FAIL"
    assert "Alpaca has no stop orders for BTC/USD" in found["mode"].told


async def test_orders_that_are_not_ours_are_reported_and_left_alone(stage: Stage) -> None:
    async with raw_client(stage.server) as client:
        for name in ("web_1", "lt-from-before"):
            await client.order("SPY", "buy", type="limit", limit_price="500", client_order_id=name)
    found = await stage.examined()
    assert found["open orders"].verdict == "warn"
    assert found["open orders"].told == "1 not ours (web_1), 1 of another session of ours (lt-from-before)"
    assert len(stage.server.books.open_orders()) == 2


async def test_a_dry_run_asks_nothing_of_the_account(stage: Stage) -> None:
    found = await stage.examined(DRY_RUN="true")
    assert not failures(found.values())
    assert {"venue", "clock", "symbols", "order types", "order sizes"} <= set(found)
    assert not {"account", "balance", "key: trading", "open orders"} & set(found)
    assert not [each.name for each in stage.server.requests if "account" in each.name or "orders" in each.name]


async def test_a_session_begins_only_on_what_the_preflight_allows(stage: Stage) -> None:
    stage.server.books.cash = Decimal("12.5")
    async with stage.live() as market:
        opened = await market.opened()
    assert [each.name for each in failures(opened.findings)] == ["balance"]
    stage.server.standing.account_blocked = True
    async with stage.live() as market:
        with pytest.raises(SettingsError, match=r"account: .*account_blocked"):
            await market.opened()


async def test_the_command_ends_with_one_and_tells_no_secret_where_a_line_failed(stage: Stage, nats_url: str) -> None:
    stage.server.standing.trading_blocked = True
    key, _ = signer(load_or_create_seed(stage.folder / "risk.seed"))
    environment = stage.environment(NATS_URL=nats_url, RISK_PUBLIC_KEY=key)
    run = ServiceProcess("runner", stage.folder, environment, "doctor", "--session", str(SESSION))
    assert await asyncio.to_thread(run.status) == 1
    assert "✗ FAIL  account" in run.said
    assert "trading_blocked" in run.said
    assert stage.server.secret not in run.said
    assert stage.server.key not in run.said
