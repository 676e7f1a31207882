"""The control desk in a real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from deploy.embedded.nats_server import NatsServer, start_nats
from shared.runtime.bus import Bus
from shared.runtime.settings import load_settings
from tests.desk_stage import desk
from tests.guard_story import Story
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
