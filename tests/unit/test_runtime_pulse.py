"""The sign of life of services that belong to no session."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from shared.runtime import pulse
from shared.runtime.bus import Bus
from shared.runtime.errors import RetryableError
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Heartbeat
from shared.schemas.values import STACK


class Listening:
    """A bus that is away at first."""

    def __init__(self, away: int) -> None:
        self.away, self.heard = away, list[Event]()
        self.enough = asyncio.Event()

    async def append(self, events: Sequence[Event], **_: Any) -> int:
        if self.away:
            self.away -= 1
            raise RetryableError("away")
        self.heard += events
        if len(self.heard) == 3:
            self.enough.set()
        return 1


@pytest.mark.parametrize("away", [0, 2])
async def test_a_service_tells_again_and_again_that_it_lives_and_outlives_the_bus(
    monkeypatch: pytest.MonkeyPatch, away: int
) -> None:
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.0)
    bus = Listening(away)
    beating = asyncio.ensure_future(pulse.beat(cast(Bus, bus), "recorder"))
    await asyncio.wait_for(bus.enough.wait(), 10)
    beating.cancel()
    beats = [beat for beat in bus.heard if isinstance(beat, Heartbeat)]
    assert {(beat.session_id, beat.service) for beat in beats} == {(STACK, "recorder")}
    assert len({beat.id for beat in beats}) == len(beats)
    uptimes = [beat.metrics.uptime_seconds for beat in beats]
    assert uptimes == sorted(uptimes)
