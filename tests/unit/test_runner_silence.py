"""When the guard counts as silent, and when as heard again."""

import asyncio

import pytest

from services.runner.core.inputs import GuardHeard, GuardSilent
from services.runner.live import silence
from services.runner.live.silence import Silence


class Ears:
    """What the guard has said and what the bus is like, and what `Silence` makes of it."""

    def __init__(self, *, known: bool = False) -> None:
        self.words, self.problem, self.told = 0, None, list[str]()
        self._watch = Silence(lambda: self.words, lambda: self.problem, self._hear, known)

    problem: str | None

    def _hear(self, said: GuardSilent | GuardHeard) -> None:
        self.told.append(said.missing if isinstance(said, GuardSilent) else "heard")

    async def until(self, *told: str) -> None:
        """Watch on until exactly this was told."""
        keeping = asyncio.ensure_future(self._watch.keep())
        async with asyncio.timeout(30):
            while self.told != list(told):
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        keeping.cancel()
        assert self.told == list(told)


@pytest.fixture(autouse=True)
def at_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(silence, "_LOOK_SECONDS", 0.01)


async def test_a_silence_is_told_once_and_so_is_its_end() -> None:
    ears = Ears()
    await ears.until("guard")
    asyncio.get_running_loop().call_later(0.02, setattr, ears, "words", 1)
    await ears.until("guard", "heard", "guard")


async def test_a_guard_that_stays_silent_once_the_bus_is_back_is_told_then() -> None:
    ears = Ears()
    ears.problem = "no connection"
    await ears.until("bus")
    ears.problem = None
    await ears.until("bus", "guard")


async def test_a_session_that_took_the_guard_for_silent_before_a_restart_hears_that_it_is_back() -> None:
    ears = Ears(known=True)
    asyncio.get_running_loop().call_later(0.02, setattr, ears, "words", 1)
    await ears.until("heard", "guard")
