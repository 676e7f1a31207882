"""Gathers what comes from the stream into stretches that are worth a write."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from shared.runtime.delivery import Delivery
from shared.runtime.patience import set_within

LARGEST_STRETCH = 2_000
LINGER_SECONDS = 0.04


class Intake:
    """Reads `source` ahead by one stretch at most. Used as an async context; ends the reading when left."""

    def __init__(self, source: AsyncIterator[Sequence[Delivery]]) -> None:
        self._source = source
        self._waiting: list[Delivery] = []
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._pump = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._pump

    async def stretch(self, patience: float) -> list[Delivery]:
        """What has arrived, after lingering a moment for more; empty when nothing came within `patience` seconds.

        Raises what the source raised, once everything before it was taken.
        """
        await set_within(self._arrived, patience)
        if self._waiting:
            await set_within(self._full, LINGER_SECONDS)
        taken, self._waiting = self._waiting, []
        self._full.clear()
        self._room.set()
        self._after_taking(taken)
        return taken

    def _after_taking(self, taken: list[Delivery]) -> None:
        if self._pump is None or not self._pump.done():
            self._arrived.clear()
        elif not taken:
            self._pump.result()

    async def _read(self) -> None:
        try:
            async for arrived in self._source:
                await self._take(arrived)
        finally:
            self._arrived.set()
            self._full.set()

    async def _take(self, arrived: Sequence[Delivery]) -> None:
        while arrived:
            room = LARGEST_STRETCH - len(self._waiting)
            self._waiting += arrived[:room]
            arrived = arrived[room:]
            self._arrived.set()
            if len(self._waiting) >= LARGEST_STRETCH:
                self._full.set()
                self._room.clear()
                await self._room.wait()
