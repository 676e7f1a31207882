"""The guard's sign of life."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import pytest

from services.risk import heartbeats
from services.risk.core.stack import Stack
from services.risk.core.state import Guard
from tests.guard_story import SESSION, trading


class Watching:
    """Watch and service in one: counts the turns, and ends after so many."""

    def __init__(self, guards: Mapping[str, Guard], turns: int) -> None:
        self._guards, self._turns = guards, turns
        self.beats: list[list[str]] = []
        self.over = asyncio.Event()

    @property
    def stack(self) -> Stack:
        self._turns -= 1
        if self._turns < 0:
            self.over.set()
        return Stack(guards={} if self.over.is_set() else self._guards)

    async def beat(self, sessions: Sequence[tuple[str, datetime]]) -> None:
        if not self.over.is_set():
            self.beats.append([name for name, _ in sessions])


async def beats(monkeypatch: pytest.MonkeyPatch, guards: Mapping[str, Guard], turns: int) -> list[list[str]]:
    monkeypatch.setattr(heartbeats, "EVERY_SECONDS", 0.0)
    watching = Watching(guards, turns)
    part = cast(Any, watching)
    beating = asyncio.ensure_future(heartbeats.beat(part, part))
    await asyncio.wait_for(watching.over.wait(), 10)
    beating.cancel()
    return watching.beats


async def test_while_a_session_runs_it_beats_in_it_at_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await beats(monkeypatch, {SESSION: trading().guard}, 4) == [[SESSION]] * 4


async def test_while_none_runs_it_beats_more_rarely_and_not_never(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await beats(monkeypatch, {}, 3 * heartbeats.IDLE_TURNS) == [[]] * 3
