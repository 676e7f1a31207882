"""A runner and a guard on a bus in memory: the services as they are, but for the server and the processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import structlog

from services.risk.running import guard
from services.runner.service import trade
from services.runner.setting_up import Options
from shared.runtime.health import Health
from shared.runtime.service import Context
from shared.schemas.codec import decode
from shared.schemas.envelope import Event
from shared.schemas.subjects import ALL_EVENTS, EVENTS
from shared.schemas.values import Service
from tests.bus_facts import settings_for
from tests.memory_bus import MemoryBus


class NoHealth:
    """Nobody asks."""

    def require(self, name: str, check: Any) -> None:
        """Take note of a check."""


class MemoryStage:
    """Its folder holds the session file, the keys and the snapshots; `memory` is the stream."""

    def __init__(self, folder: Path, session: Path, candles: Path) -> None:
        self.memory = MemoryBus()
        self.settings = settings_for("nats://127.0.0.1:1", folder)
        self._options = Options(session, (candles,), speed=None)

    def context(self, name: Service) -> Context:
        """What a service is given here."""
        health = cast(Health, NoHealth())
        return Context(name, self.settings, self.memory.bus, structlog.get_logger(), health, asyncio.Event())

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """A guard stands until the end of the block, and then ends in good order."""
        context = self.context("risk")
        work = asyncio.create_task(guard(context))
        try:
            yield
        finally:
            context.stopping.set()
            await work

    async def trade(self, crash_at: int | None = None) -> None:
        """Trade the session to its end, or until the stream holds `crash_at` messages and the runner is gone."""
        work = asyncio.create_task(trade(self.context("runner"), self._options))
        while not work.done():
            if crash_at is not None and len(self.memory.streams[EVENTS]) >= crash_at:
                work.cancel()
                await asyncio.wait([work])
                return
            await asyncio.sleep(0)
        work.result()

    async def told(self, service: str) -> list[Event]:
        """What `service` has told, heartbeats excepted."""
        facts = [decode(one.subject, one.payload) async for one in self.memory.read(EVENTS, [ALL_EVENTS])]
        return [fact for fact in facts if fact.service == service and fact.type != "heartbeat"]
