"""What a hundred symbols of one-minute candles cost: the real runner beside a local Binance server.

Each bar is told as often while it lasts as Binance does. By default a market minute follows as soon as the one before
it is done, and its messages come in bursts, which cost less; with `--full` they come at the market's pace. The
processor's time that the runner takes for a market minute is told as a share of a minute.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_uppercase

from bench.figures import Figure, at_most, told
from tests.trials.at_speed import AT_PACE
from tests.trials.binance import Trial
from tests.venues.binance.symbols import Symbol
from tests.venues.market import CORNERS

SYMBOLS = 100
BOUND = 20.0
TELLING_SECONDS = 2.0
"""How often a bar is told while it lasts ("Kline streams" of Binance's documentation)."""
TOLD = int(60 / TELLING_SECONDS)
_WARM = 2
"""The first minutes warm up, and are not counted."""
_MORE = tuple(Symbol(f"Y{one}{two}", "USDT") for one in "ABCDEFGHIJ" for two in ascii_uppercase[:10])


def measure(full: bool) -> list[Figure]:
    """The runner's share of one core in percent, and the orders that it sent meanwhile."""
    minutes, pause = (4, TELLING_SECONDS) if full else (10, 0.0)
    share, orders = asyncio.run(_measured(minutes, pause))
    pace = "at the market's pace" if full else "told in bursts"
    return [
        at_most(f"{SYMBOLS} symbols of minutes on one runner, {pace}, share of a core", 100 * share, "%", BOUND),
        told(f"orders in those {minutes} minutes", orders, "orders"),
    ]


async def _measured(minutes: int, pause: float) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        run = _Run()
        trial = _Crowd(Path(folder), _WARM + minutes, symbols=SYMBOLS, patience=20.0, calm=True, trouble=run.note)
        trial.pause = pause
        await trial.run()
        return (run.used[-1] - run.used[_WARM]) / (60 * (minutes - 1)), len(trial.stack.record.tickets)


class _Crowd(Trial):
    """A market of many symbols, each of which tells its bar again and again while it lasts."""

    pause = 0.0
    """Seconds between two tellings of one bar."""

    def settings(self) -> Mapping[str, str]:
        """The runner looks at the venue's books as seldom as it always does, or the venue would shut it out."""
        return {**super().settings(), AT_PACE: "1"}

    def _others(self) -> tuple[Symbol, ...]:
        return _MORE[: self.symbols - 3]

    async def play_minute(self) -> None:
        """Tell the bars as they stood at the end of the minute before, then the next minute."""
        if self.is_followed() and self.market.history:
            await self._tell_often()
        await super().play_minute()

    async def _tell_often(self) -> None:
        for _ in range(TOLD - CORNERS):
            for symbol in self._prices:
                await self.server.publishing._on_bar(symbol, self.market.history[symbol][-1], False)
                await asyncio.sleep(self.pause / SYMBOLS)


@dataclass
class _Run:
    used: list[float] = field(default_factory=list)

    async def note(self, trial: Trial, minute: int) -> None:
        """The seconds of processor time that the runner has taken so far."""
        ticks = Path(f"/proc/{trial.stack.runner_pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        self.used.append(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
