"""What browsers on the control desk cost the guard: from an intent to its verdict, without and with them."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from bench.figures import Figure, at_most_times, beside
from deploy.embedded.nats_server import start_nats
from shared.runtime.bus import Bus
from shared.runtime.settings import load_settings
from shared.schemas.subjects import EVENTS, every_session
from tests.guard_story import Story, ticket
from tests.service_process import service_process

BROWSERS = 50
_ROUNDS, _ORDERS, _ORDERS_IN_FULL = 4, 300, 1500
_ORDERS_A_BAR = 20
_SETTLED_SECONDS = 2.0
_VERDICTS = [every_session("risk", kind) for kind in ("order_approved", "order_refused")]


def measure(full: bool) -> list[Figure]:
    """The guard's latency in alternating rounds, so that a machine's moods fall on both."""
    alone, watched = asyncio.run(_measured(_ORDERS_IN_FULL if full else _ORDERS))
    name, reference = f"verdict, {BROWSERS} browsers", "verdict, no browser"
    return [
        beside(f"{name}, p50", _quantile(watched, 0.5), "ms", f"{reference}, p50", _quantile(alone, 0.5)),
        at_most_times(f"{name}, p99", _quantile(watched, 0.99), "ms", f"{reference}, p99", _quantile(alone, 0.99), 1.1),
    ]


async def _measured(orders: int) -> tuple[list[float], list[float]]:
    alone: list[float] = []
    watched: list[float] = []
    with tempfile.TemporaryDirectory() as folder, start_nats(Path(folder) / "nats") as server:
        home, settings = Path(folder), {"NATS_URL": server.url, "DATA_DIR": folder, "DESK_PORT": "0"}
        bus = await Bus.connect(load_settings(settings, None), "runner")
        await bus.ensure_streams()
        with service_process("risk", home, settings):
            url, story = await _announced(home / "run" / "desk.url"), Story()
            await bus.append([story.start(), story.close("100"), story.mark()])
            await _round(bus, story, _ORDERS)
            for _ in range(_ROUNDS):
                alone += await _round(bus, story, orders)
                with _browsers(url):
                    await asyncio.sleep(_SETTLED_SECONDS)
                    watched += await _round(bus, story, orders)
        await bus.close()
    return alone, watched


async def _round(bus: Bus, story: Story, orders: int) -> list[float]:
    taken: list[float] = []
    verdicts = bus.follow(EVENTS, _VERDICTS, await bus.last_sequence(EVENTS) + 1)
    for number in range(orders):
        if number % _ORDERS_A_BAR == 0:
            await bus.append([story.close("100"), story.mark()])
        intent = story.intend(ticket(f"o{story.number}", qty="0.001"))
        began = time.perf_counter()
        await bus.append([intent])
        await anext(verdicts)
        taken.append((time.perf_counter() - began) * 1000)
        await bus.append([story.cancel(intent.order)])
    await verdicts.aclose()
    return taken


@contextmanager
def _browsers(url: str) -> Iterator[None]:
    """Browsers that listen, in a process of their own."""
    process = subprocess.Popen([sys.executable, "-m", "bench.desk", url])
    try:
        yield
        if process.poll() is not None:
            raise RuntimeError("the browsers have gone; what was measured says nothing")
    finally:
        process.kill()
        process.wait()


async def _listen(url: str) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(_one(session, url) for _ in range(BROWSERS)))


async def _one(session: aiohttp.ClientSession, url: str) -> None:
    async with session.ws_connect(f"{url}/api/live") as socket:
        async for _ in socket:
            pass
    raise RuntimeError("the desk has let a browser go")


async def _announced(path: Path) -> str:
    while not (path.exists() and path.read_text().strip()):
        await asyncio.sleep(0.05)
    return path.read_text().strip()


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


if __name__ == "__main__":
    asyncio.run(_listen(sys.argv[1]))
