"""A guard with its control desk on a real server, and a runner's facts told by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from services.risk.running import guard
from shared.runtime.bus import Bus
from shared.runtime.health import Health
from shared.runtime.service import Context
from shared.runtime.settings import load_settings

PATIENCE_SECONDS = 60.0


@asynccontextmanager
async def desk(nats_url: str, data: Path, **environ: str) -> AsyncIterator[str]:
    """The URL of the desk of a guard that stands until the end of the block."""
    given = {"NATS_URL": nats_url, "DATA_DIR": str(data), "DESK_PORT": "0", **environ}
    settings = load_settings(given, None)
    bus = await Bus.connect(settings, "risk")
    await bus.ensure_streams()
    health, stopping = Health("127.0.0.1", 0), asyncio.Event()
    work = asyncio.create_task(guard(Context("risk", settings, bus, structlog.get_logger(), health, stopping)))
    try:
        yield await asyncio.wait_for(_announced(data / "run" / "desk.url", work), PATIENCE_SECONDS)
    finally:
        stopping.set()
        await asyncio.wait([work])
        health.close()
        await bus.close()


async def _announced(path: Path, work: "asyncio.Task[int]") -> str:
    while not path.exists() or not path.read_text().strip():
        if work.done():
            work.result()
        await asyncio.sleep(0.02)
    return path.read_text().strip()
