"""Whole sessions whose processes are killed at random: `make soak`, and its short form among the tests.

Every process of the stack, the NATS server included, gets SIGKILL at random points of the session's progress. The
session must come to its end by itself, and its signals, intents, fills and equity must be those of the backtest, which
nobody disturbs.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.demo import commands
from deploy.embedded.keeping import Patience
from deploy.embedded.options import Options
from deploy.embedded.stack import Stack
from services.runner.backtest_command import run_backtest
from services.runner.setting_up import Options as BacktestOptions
from shared.runtime import clock
from shared.schemas.values import STACK
from tests.walk_session import decisions, events, session_folders, write_walk

WEIGHTS = {"runner": 4, "risk": 3, "recorder": 2, "nats": 2, "notifier": 1}
STUCK_SECONDS = 300.0
LOOK_SECONDS = 0.01
FARTHEST_BYTES = 40_000
"""From one kill to the next there are less than so many bytes of facts, some ninety of them."""
UNTIRING = Patience(deaths=1_000_000, seconds=5.0, first_pause=0.05)


class StuckError(AssertionError):
    """A session makes no progress any more."""


@dataclass
class Ordeal:
    """One session under kills. `killed` counts them by victim."""

    folder: Path
    kills: int
    seed: int
    bars: int = 1000
    killed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._data = self.folder / "data"
        self._session, self._candles = write_walk(self.folder, self.bars, self.seed)

    async def trade(self) -> Path:
        """Trade the session to its end under kills; answers its folder."""
        options = Options(self._session, (self._candles,), "max", None, self._data)
        stack = Stack(self._data, commands(options), UNTIRING)
        await stack.open()
        keeping = asyncio.create_task(stack.keep())
        try:
            await self._harass(stack, keeping)
            await self._until(lambda: keeping.done())
            await keeping
            await self._until(self._reported)
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            await stack.close()
        # A runner that is killed after its last word and before its end trades the next session once it is back.
        return session_folders(self._data)[0]

    def backtest(self) -> Path:
        """The same session undisturbed; answers its folder."""
        os.environ["DATA_DIR"] = str(self._data)
        status = run_backtest(BacktestOptions(self._session, (self._candles,), None, None))
        assert status == 0
        (folder,) = (self._data / "backtests").iterdir()
        return folder

    async def _harass(self, stack: Stack, keeping: asyncio.Task[None]) -> None:
        while self.killed.total() < self.kills and not keeping.done():
            goal = self._progress() + self._random.randrange(1, FARTHEST_BYTES)
            await self._until(lambda goal=goal: keeping.done() or self._progress() >= goal)  # type: ignore[misc]
            await asyncio.sleep(self._random.random() * 0.05)
            if not keeping.done():
                self._kill(stack.pids())

    def _kill(self, pids: Mapping[str, int]) -> None:
        victim = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if victim in pids:
            with suppress(ProcessLookupError):
                os.kill(pids[victim], signal.SIGKILL)
                self.killed[victim] += 1

    def _progress(self) -> int:
        """How many bytes of the session are recorded."""
        found = [path for path in (self._data / "sessions").glob("*/events.jsonl") if STACK not in path.parts]
        return sum(path.stat().st_size for path in found)

    def _reported(self) -> bool:
        folders = session_folders(self._data)
        return bool(folders) and any(event["type"] == "report_ready" for event in events(folders[0]))

    async def _until(self, holds: Callable[[], bool]) -> None:
        deadline, before = clock.monotonic() + STUCK_SECONDS, self._progress()
        while not holds():
            await asyncio.sleep(LOOK_SECONDS)
            if (now := self._progress()) != before:
                deadline, before = clock.monotonic() + STUCK_SECONDS, now
            if clock.monotonic() > deadline:
                raise StuckError(f"no progress for {STUCK_SECONDS:.0f} s after {dict(self.killed)} in {self._data}")


def endure(folder: Path, kills: int, seed: int, bars: int = 1000) -> Ordeal:
    """Trade one session under kills and compare it with its backtest; AssertionError when they differ."""
    ordeal = Ordeal(folder, kills, seed, bars)
    session = asyncio.run(ordeal.trade())
    assert json.loads((session / "summary.json").read_text())["status"] == "success"
    told, expected = decisions(session), decisions(ordeal.backtest())
    for kind, facts in expected.items():
        assert told[kind] == facts, f"seed {seed}: {kind} differs after {dict(ordeal.killed)}; see {session}"
    identities = [event["id"] for event in events(session)]
    assert len(identities) == len(set(identities)), f"seed {seed}: a fact is recorded twice; see {session}"
    return ordeal


def main(arguments: Sequence[str] | None = None) -> int:
    """Sessions under kills until there were enough; a line for each, the sum at the end."""
    parser = argparse.ArgumentParser("python -m tests.soak", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--each", type=int, default=10, help="kills a session")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, help="write the outcome as JSON, too")
    given = parser.parse_args(arguments)
    total, seed = Counter[str](), given.seed
    while total.total() < given.kills:
        with tempfile.TemporaryDirectory() as folder:
            ordeal = endure(Path(folder), min(given.each, given.kills - total.total()), seed)
        total += ordeal.killed
        print(
            f"seed {seed}: {dict(ordeal.killed)}, the same as undisturbed ({total.total()} of {given.kills})",
            flush=True,
        )
        seed += 1
        if given.results:
            _write(given.results, {"kills": dict(total), "sessions": seed - given.seed, "different": 0})
    return 0


def _write(results: Path, outcome: dict[str, object]) -> None:
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(outcome, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
