"""The control desk over real HTTP and WebSocket, with a real guard and a real NATS server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pyotp
import pytest

from deploy.embedded.nats_server import NatsServer, start_nats
from services.risk.desk.hub import BEHIND, Hub
from shared.runtime.bus import Bus
from shared.runtime.settings import load_settings
from shared.schemas.subjects import CONTROL
from shared.schemas.values import STACK
from tests.desk_stage import PATIENCE_SECONDS, desk
from tests.guard_story import SESSION, Story

TOKEN = "a-token-for-the-desk"


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
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


class Page:
    """What a browser knows: it merges each message into the sections."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.known: dict[str, Any] = {}

    async def until(self, section: str, **wanted: Any) -> Any:
        """The section, once it shows what is wanted."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                content = self.known.get(section)
                if content is not None and wanted.items() <= content.items():
                    return content
                self.known |= (await self._socket.receive_json())["set"]


async def test_a_session_is_live_on_the_page_and_the_kill_button_stops_it(
    server: NatsServer, bus: Bus, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    story = Story()
    async with desk(server.url, tmp_path) as url, client.ws_connect(f"{url}/api/live") as socket:
        page = Page(socket)
        await page.until("status", state="stopped")
        await bus.append([story.start(), story.close("100"), story.mark()])
        await page.until("status", state="running")
        await page.until(f"session:{SESSION}", equity="10000", status="running")
        async with client.post(f"{url}/api/kill", json={"reason": "fat finger"}) as answer:
            assert (answer.status, (await answer.json())["outcome"]) == (200, "done")
        halt = (await page.until("status", state="killed"))["halt"]
        assert (halt["reason"], halt["operator"]) == ("fat finger", "desk")
        async with client.post(f"{url}/api/pause", json={}) as answer:
            assert answer.status == 409
        async with client.post(f"{url}/api/resume", json={"reason": "checked"}) as answer:
            assert answer.status == 200
        await page.until("status", state="running")
        async with client.get(f"{url}/api/events", params={"type": "trading_halted,trading_resumed"}) as answer:
            assert {line["type"] for line in (await answer.json())["events"]} == {"trading_halted", "trading_resumed"}


ANYTHING = [
    b"",
    b"please",
    b"{",
    b"[]",
    b"\xff\xfe",
    b'{"reason": 7}',
    b'{"session": "no such > session"}',
    b"[" * 9000,
    b"x" * 1_000_000,
]


@pytest.mark.parametrize("body", ANYTHING, ids=range(len(ANYTHING)))
async def test_any_body_kills_everything(
    server: NatsServer, client: aiohttp.ClientSession, tmp_path: Path, body: bytes
) -> None:
    async with desk(server.url, tmp_path) as url, client.post(f"{url}/api/kill", data=body) as answer:
        assert answer.status == 200
        assert (await answer.json())["facts"][0]["session_id"] == STACK


@pytest.mark.parametrize("name", ["resume", "flatten"])
async def test_what_lets_risk_in_or_closes_positions_is_refused_without_a_reason_or_with_a_foreign_session(
    server: NatsServer, bus: Bus, client: aiohttp.ClientSession, tmp_path: Path, name: str
) -> None:
    story = Story()
    async with desk(server.url, tmp_path) as url:
        await bus.append([story.start(), story.close("100"), story.mark()])
        async with client.post(f"{url}/api/kill") as answer:
            assert answer.status == 200
        answers = {b"{{{": 409, b"": 409, b'{"reason": "x", "session": "."}': 400, b"x" * 20_000: 413}
        for body, status in answers.items():
            async with client.post(f"{url}/api/{name}", data=body) as answer:
                assert answer.status == status


async def test_resume_asks_for_the_code_and_kill_never_does(
    server: NatsServer, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    secret = pyotp.random_base32()
    async with desk(server.url, tmp_path, TOTP_SECRET=secret) as url:
        async with client.post(f"{url}/api/kill") as answer:
            assert answer.status == 200
        async with client.post(f"{url}/api/resume", json={"reason": "checked", "totp": "000000"}) as answer:
            refused = await answer.text()
            assert answer.status == 409
        assert secret not in refused
        code = pyotp.TOTP(secret).now()
        async with client.post(f"{url}/api/resume", json={"reason": "checked", "totp": code}) as answer:
            assert answer.status == 200


async def test_another_sites_page_gets_nowhere(
    server: NatsServer, bus: Bus, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with desk(server.url, tmp_path) as url:
        foreign = {"Origin": "http://evil.example"}
        async with client.post(f"{url}/api/kill", headers=foreign) as answer:
            assert answer.status == 403
        for headers in (foreign, {"Host": "evil.example"}):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await client.ws_connect(f"{url}/api/live", headers=headers)
        async with client.get(url, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        assert await bus.last_sequence(CONTROL) == 0


async def test_pages_are_strict_and_nothing_but_assets_is_handed_out(
    server: NatsServer, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with desk(server.url, tmp_path) as url:
        async with client.get(url) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/static/..%2Fapp.py", "/static/%2e%2e%2fapp.py", "/static/app.py", "/static/desk.html", "/docs"):
            async with client.get(f"{url}{path}") as answer:
                assert answer.status == 404, path


async def test_with_a_token_nothing_is_shown_or_done_before_the_login(
    server: NatsServer, bus: Bus, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with desk(server.url, tmp_path, DESK_TOKEN=TOKEN) as url:
        for method, path in (("GET", "/api/status"), ("GET", "/api/events"), ("POST", "/api/kill")):
            async with client.request(method, f"{url}{path}") as answer:
                assert answer.status == 401, path
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.ws_connect(f"{url}/api/live")
        assert await bus.last_sequence(CONTROL) == 0
        async with client.get(f"{url}/api/status", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status == 200
            assert TOKEN not in await answer.text()
        async with client.post(f"{url}/api/login", json={"token": TOKEN}) as answer:
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "samesite=strict" in cookie.lower()
            assert TOKEN not in cookie
        async with client.get(f"{url}/api/status") as answer:
            assert answer.status == 200
        async with client.ws_connect(f"{url}/api/live") as socket:
            assert (await socket.receive_json())["whole"]


async def test_wrong_tokens_are_limited_and_a_right_one_is_refused_meanwhile(
    server: NatsServer, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with desk(server.url, tmp_path, DESK_TOKEN=TOKEN) as url:
        for _ in range(5):
            async with client.post(f"{url}/api/login", json={"token": "guess"}) as answer:
                assert answer.status == 401
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}"}):
            async with client.post(f"{url}/api/login", json={"token": TOKEN}, headers=headers) as answer:
                assert answer.status == 429
        async with client.get(f"{url}/api/status", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status == 429


async def test_a_taken_port_is_no_reason_not_to_stand(
    server: NatsServer, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with desk(server.url, tmp_path, DESK_PORT=str(port)) as url, client.get(url) as answer:
        assert (answer.status, url.endswith(f":{port}")) == (200, False)
    taken.close()


async def test_a_desk_that_died_comes_back_where_its_pages_look_for_it(server: NatsServer, tmp_path: Path) -> None:
    announcement = tmp_path / "run" / "desk.url"
    async with desk(server.url, tmp_path) as url:
        left_behind = announcement.read_text()
    announcement.write_text(left_behind)
    async with desk(server.url, tmp_path) as again:
        assert again == url


async def test_a_browser_that_does_not_keep_up_is_let_go_and_the_others_hear_all() -> None:
    hub = Hub()
    with hub.reader("first") as slow, hub.reader("first") as quick:
        heard: list[str] = []

        async def listen() -> None:
            async for text in quick.texts():
                heard.append(text)

        listening = asyncio.create_task(listen())
        for number in range(3 * BEHIND):
            hub.tell(json.dumps(number))
            await asyncio.sleep(0)
        listening.cancel()
        assert (slow.dropped, len(hub), len(heard)) == (True, 1, 3 * BEHIND + 1)
        assert [text async for text in slow.texts()] == []
