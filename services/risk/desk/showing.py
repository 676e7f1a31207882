"""Keeps the page up to date: a few times a second it reads what is new and tells the browsers what has changed.

A reader that woke with every fact would take the interpreter's lock from the guard just when it has to answer one.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from services.risk.core.stack import Stack
from services.risk.desk.core import view as views
from services.risk.desk.core.deltas import Encoded, encoded, message
from services.risk.desk.core.feed import since
from services.risk.desk.core.page import Surroundings, sections
from services.risk.desk.core.view import DeskView
from services.risk.desk.hub import Hub
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.errors import RetryableError
from shared.schemas.codec import UndecodableError, decode
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerEnd, RunnerStart
from shared.schemas.subjects import ALL_EVENTS, EVENTS, every_session
from shared.schemas.values import iso

TICK_SECONDS = 0.25
QUIET_SECONDS = 3.0
"""A browser hears something at least so often, or it takes the connection for lost."""
LINES = 100
_TAIL = 5000
"""So many of the latest facts are read at the start; of older ones only which sessions there were."""
_READ_SECONDS = 0.08
"""While facts come, they are read so often: more at a time would hold the guard up for longer."""
_PIECE = 16
_REST_SECONDS = 0.002
"""Between so many facts the desk rests so long, for the guard may be waiting for the interpreter."""


class Showing:
    """The page's content as it stands, and its readers."""

    def __init__(self, stack: Callable[[], Stack], around: Callable[[], Surroundings]) -> None:
        self.hub = Hub()
        self.view = DeskView()
        self._stack, self._around = stack, around
        self._read_up_to = 0
        self._shown: Encoded = {}
        self._told_up_to = 0
        self._told_at = clock.monotonic()

    async def follow(self, bus: Bus) -> None:
        """Take in every fact and tell the browsers what it changes, without end."""
        told_at = clock.monotonic()
        while True:
            await bus.connection.restored()
            before = self._read_up_to
            with suppress(RetryableError):
                await self._catch_up(bus)
            if len(self.hub) and clock.monotonic() - told_at >= TICK_SECONDS:
                self._tell()
                told_at = clock.monotonic()
            await asyncio.sleep(_READ_SECONDS if self._read_up_to > before else TICK_SECONDS)

    async def _catch_up(self, bus: Bus) -> None:
        if not self._read_up_to:
            before = max(await bus.last_sequence(EVENTS) - _TAIL, 0)
            await self._recall(bus, before + 1)
            self._read_up_to = before
        async for delivery in bus.read(EVENTS, [ALL_EVENTS], self._read_up_to + 1):
            # The guard sets aside what can't be read, and tells so.
            with suppress(UndecodableError):
                event = decode(delivery.subject, delivery.payload)
                self.view = views.evolve(self.view, delivery.sequence, event)
            self._read_up_to = delivery.sequence
            if delivery.sequence % _PIECE == 0:
                await asyncio.sleep(_REST_SECONDS)

    async def _recall(self, bus: Bus, before: int) -> None:
        kinds = [every_session("runner", kind.model_fields["type"].default) for kind in (RunnerStart, RunnerEnd)]
        async for delivery in bus.read(EVENTS, kinds):
            if delivery.sequence >= before:
                return
            with suppress(UndecodableError):
                event: Event = decode(delivery.subject, delivery.payload)
                self.view = self.view._replace(sessions=views.with_session(self.view.sessions, event))

    def whole(self) -> str:
        """All of the page in one message, for a browser that begins; from there on it hears what changes."""
        self._tell()
        return message(iso(clock.now()), self._shown, {}, since(self.view.feed, 0, LINES), whole=True)

    def status(self) -> str:
        """All of the page but the feed, as one JSON object."""
        texts = encoded(sections(self.view, self._stack(), self._around()))
        return message(iso(clock.now()), texts, {}, ())

    def _tell(self) -> None:
        view = self.view
        shown = encoded(sections(view, self._stack(), self._around()))
        lines = since(view.feed, self._told_up_to, LINES)
        quiet = clock.monotonic() - self._told_at
        if lines or shown != self._shown or quiet > QUIET_SECONDS:
            self.hub.tell(message(iso(clock.now()), shown, self._shown, lines))
            self._told_at = clock.monotonic()
        self._shown, self._told_up_to = shown, view.sequence
