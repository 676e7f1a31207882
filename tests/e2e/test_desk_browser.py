"""The control desk in a real browser: Debian's Chromium, driven by Playwright."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, async_playwright, expect
from pyotp import TOTP

from deploy.embedded.nats_server import NatsServer, start_nats
from services.risk.core.usage import LIMITS
from services.risk.second_factor import new_secret
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.settings import load_settings
from shared.schemas.session import SessionConfig
from tests.desk_stage import desk
from tests.guard_story import MONDAY, Story, config, ticket
from tests.service_process import ROOT, service_process

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 60_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with start_nats(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[Bus]:
    bus = await Bus.connect(load_settings({"NATS_URL": server.url}, None), "runner")
    await bus.ensure_streams()
    yield bus
    await bus.close()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    expect.set_options(timeout=PATIENCE_MS)
    # Chromium refuses to sandbox what root runs.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = await browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        yield page
        await browser.close()
        assert problems == []


async def test_the_kill_button_leaves_the_venue_flat(server: NatsServer, page: Page, tmp_path: Path) -> None:
    environment = {"NATS_URL": server.url, "DATA_DIR": str(tmp_path / "data")}
    session = ("run", "--session", str(ROOT / "config" / "demo.toml"), "--speed", "3600")
    async with desk(server.url, tmp_path / "data") as url:
        with service_process("runner", tmp_path, environment, *session):
            await page.goto(url)
            await expect(page.locator("#state")).to_contain_text("running")
            await expect(page.locator("#positions")).to_contain_text("USDT")
            await page.keyboard.press("k")
            await expect(page.get_by_role("button", name="Kill now")).to_be_focused()
            await page.keyboard.press("Enter")
            await expect(page.locator("#state")).to_contain_text("killed")
            await expect(page.locator("#feed")).to_contain_text("after the kill the venue shows 0 open orders")
            await expect(page.locator("#why")).to_contain_text("✔ confirmed at the venue: demo")
            await expect(page.locator("#positions")).to_contain_text("No open position.")
            await expect(page.locator("#orders")).to_contain_text("No open order.")


async def test_a_session_moves_while_one_watches(server: NatsServer, bus: Bus, page: Page, tmp_path: Path) -> None:
    story = Story()
    async with desk(server.url, tmp_path) as url:
        await page.goto(url)
        await expect(page.locator("#nothing")).to_be_visible()
        await bus.append([story.start(), story.close("100"), story.mark()])
        await expect(page.locator("#equity")).to_have_text("10,000.00")
        await expect(page.locator("#market")).to_have_text("2026-01-05 00:01 UTC")
        await bus.append([story.close("101"), story.mark()])
        await expect(page.locator("#market")).to_have_text("2026-01-05 00:02 UTC")
        await expect(page.locator("#sessions tr")).to_have_count(1)
        await page.fill("#session-search", "no such name")
        await expect(page.locator("#sessions")).to_contain_text("No session fits these filters.")


async def test_the_chart_keeps_its_size_however_often_it_is_drawn_and_the_window_changes(
    server: NatsServer, bus: Bus, page: Page, tmp_path: Path
) -> None:
    story = Story()
    async with desk(server.url, tmp_path) as url:
        await page.set_viewport_size({"width": 1400, "height": 900})
        await page.goto(url)
        await bus.append([story.start(), story.close("100"), story.mark(), story.close("101"), story.mark()])
        await expect(page.locator("#market")).to_have_text("2026-01-05 00:02 UTC")
        await expect(page.locator("#limits .gauge")).to_have_count(len(LIMITS))
        before = await page.locator("#chart").bounding_box()
        for number in range(3, 7):
            for width in (1100, 1400):
                await page.set_viewport_size({"width": width, "height": 900})
            await bus.append([story.close("102"), story.mark()])
            await expect(page.locator("#market")).to_have_text(f"2026-01-05 00:0{number} UTC")
        assert await page.locator("#chart").bounding_box() == before


async def test_pause_stops_and_resume_and_flatten_ask_for_a_reason_and_a_code(
    server: NatsServer, bus: Bus, page: Page, tmp_path: Path
) -> None:
    story, secret = Story(), new_secret()
    codes = TOTP(secret)
    async with desk(server.url, tmp_path, TOTP_SECRET=secret) as url:
        await page.goto(url)
        await bus.append([story.start(), story.close("100"), story.mark()])
        await expect(page.locator("#state")).to_contain_text("running")
        await page.keyboard.press("p")
        await expect(page.locator("#totp-field")).to_be_hidden()
        await page.keyboard.press("Enter")
        await expect(page.locator("#state")).to_contain_text("paused")
        await expect(page.locator("#dialog")).to_be_hidden()
        await page.keyboard.press("r")
        await page.fill("#reason", "looked at")
        await page.fill("#totp", "000000")
        await page.keyboard.press("Enter")
        await expect(page.locator("#dialog-problem")).to_contain_text("wrong or out of date")
        await page.fill("#totp", codes.at(clock.now()))
        await page.keyboard.press("Enter")
        await expect(page.locator("#state")).to_contain_text("running")
        await expect(page.locator("#dialog")).to_be_hidden()
        await page.keyboard.press("f")
        await page.fill("#reason", "out of it all")
        await page.fill("#totp", codes.at(clock.now() + timedelta(seconds=30)))
        await page.keyboard.press("Enter")
        await expect(page.locator("#feed")).to_contain_text("flatten ordered by desk: out of it all")


async def test_sessions_are_found_by_name_id_date_result_and_strategy(
    server: NatsServer, bus: Bus, page: Page, tmp_path: Path
) -> None:
    won = Story()
    plain = config().model_dump()
    idle = SessionConfig.model_validate({**plain, "name": "idle", "strategies": [{"name": "bollinger"}]})
    lost = Story(idle, "22222222-2222-5222-8222-222222222222", now=MONDAY + timedelta(days=1))
    async with desk(server.url, tmp_path) as url:
        await page.goto(url)
        await bus.append([won.start(), won.close("100"), won.fill(ticket()), won.close("110"), won.mark()])
        await bus.append([lost.start(), lost.close("100"), lost.mark()])
        rows = page.locator("#sessions tr")
        await expect(rows).to_have_count(2)
        for field, value, found in (
            ("#session-search", "idl", "idle"),
            ("#session-search", "6f1c2f36", "guarded"),
            ("#session-date", "2026-01-06", "idle"),
            ("#session-date", "2026-01-05", "guarded"),
        ):
            await page.fill(field, value)
            await expect(rows).to_have_count(1)
            await expect(rows).to_contain_text(found)
            await page.fill(field, "")
            await expect(rows).to_have_count(2)
        for field, value, found in (
            ("#session-result", "profit", "guarded"),
            ("#session-result", "loss", "idle"),
            ("#session-strategy", "bollinger", "idle"),
        ):
            await page.select_option(field, value)
            await expect(rows).to_have_count(1)
            await expect(rows).to_contain_text(found)
            await page.select_option(field, "")
            await expect(rows).to_have_count(2)


async def test_the_feed_is_filtered_and_stays_filtered_live(
    server: NatsServer, bus: Bus, page: Page, tmp_path: Path
) -> None:
    story = Story()
    async with desk(server.url, tmp_path) as url:
        await page.goto(url)
        await bus.append([story.start(), story.fail()])
        await expect(page.locator("#feed")).to_contain_text("runner start")
        await page.select_option("#feed-level", "error")
        await expect(page.locator("#feed tr")).to_have_count(1)
        await bus.append([story.fail(), story.close("100")])
        await expect(page.locator("#feed tr")).to_have_count(2)
        await page.select_option("#feed-time", "15")
        await expect(page.locator("#feed")).to_contain_text("Nothing happened that fits these filters.")
        await page.select_option("#feed-time", "")
        await page.select_option("#feed-level", "debug")
        await page.select_option("#feed-type", "runner_start")
        await expect(page.locator("#feed tr")).to_have_count(1)


async def test_what_is_told_while_the_feed_is_being_read_is_not_lost(
    server: NatsServer, bus: Bus, page: Page, tmp_path: Path
) -> None:
    story, read, go_on = Story(), asyncio.Event(), asyncio.Event()

    async def held_up(route: Route) -> None:
        answer = await route.fetch()
        read.set()
        await go_on.wait()
        await route.fulfill(response=answer)

    async with desk(server.url, tmp_path) as url:
        await page.goto(url)
        await bus.append([story.start()])
        await expect(page.locator("#feed")).to_contain_text("runner start")
        await page.route("**/api/events*", held_up)
        await page.select_option("#feed-level", "error")
        await read.wait()
        await bus.append([story.fail()])
        await expect(page.locator("#venue-errors")).to_contain_text("1, last at")
        go_on.set()
        await expect(page.locator("#feed tr")).to_have_count(1)
        await expect(page.locator("#feed")).to_contain_text("HTTP 500")


async def test_the_feeds_times_are_utc_wherever_the_browser_is(
    server: NatsServer, bus: Bus, page: Page, tmp_path: Path
) -> None:
    story = Story()
    browser = page.context.browser
    assert browser is not None
    async with desk(server.url, tmp_path) as url:
        abroad = await browser.new_page(timezone_id="America/New_York")
        await abroad.goto(url)
        await bus.append([story.start(), story.fail()])
        await expect(abroad.locator("#feed")).to_contain_text("2026-01-05 00:00:00")
        await abroad.select_option("#feed-time", "custom")
        await abroad.fill("#feed-from", "2026-01-04T23:59")
        await abroad.fill("#feed-to", "2026-01-05T00:01")
        await expect(abroad.locator("#feed tr")).to_have_count(2)
        await abroad.fill("#feed-from", "2026-01-05T00:01")
        await expect(abroad.locator("#feed")).to_contain_text("Nothing happened that fits these filters.")


async def test_every_service_is_shown_by_its_heartbeat(server: NatsServer, page: Page, tmp_path: Path) -> None:
    environment = {"NATS_URL": server.url, "DATA_DIR": str(tmp_path / "data")}
    async with desk(server.url, tmp_path / "data") as url:
        with (
            service_process("notifier", tmp_path, environment),
            service_process("recorder", tmp_path, environment),
        ):
            await page.goto(url)
            for name in ("risk", "notifier", "recorder"):
                row = page.locator("#services tr", has_text=name)
                await expect(row).to_contain_text("● heard")
                await expect(row).to_contain_text("up ")
            await expect(page.locator("#services tr", has_text="runner")).to_contain_text("no session is running")


async def test_a_lost_connection_is_shown_and_comes_back_by_itself(
    server: NatsServer, bus: Bus, page: Page, tmp_path: Path
) -> None:
    story = Story()
    async with desk(server.url, tmp_path) as url:
        await page.goto(url)
        await expect(page.locator("#connection")).to_contain_text("live")
    await expect(page.locator("#connection")).to_contain_text("connection lost")
    await bus.append([story.start(), story.close("100"), story.mark()])
    async with desk(server.url, tmp_path, DESK_PORT=url.rpartition(":")[2]):
        await expect(page.locator("#connection")).to_contain_text("live")
        await expect(page.locator("#equity")).to_have_text("10,000.00")


async def test_a_wrong_token_is_told_and_a_right_one_opens_the_desk(
    server: NatsServer, page: Page, tmp_path: Path
) -> None:
    async with desk(server.url, tmp_path, DESK_TOKEN="right") as url:
        await page.goto(url)
        await page.get_by_label("Token of the control desk").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.locator("#problem")).to_contain_text("not the desk's token")
        await page.get_by_label("Token of the control desk").fill("right")
        await page.keyboard.press("Enter")
        await expect(page.locator("#connection")).to_contain_text("live")
