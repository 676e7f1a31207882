"""What a hundred symbols of one-minute candles cost: the real runner beside a local Binance server.

Market time runs ahead, a minute as soon as the one before it is done; each bar is told as often while it lasts as
Binance does. The processor's time that the runner takes for a market minute is told as a share of a minute. What the
runner does by the clock on the wall comes more often in a second of a trial than at real speed, but a market minute has
fewer seconds there: polls and heartbeats are therefore not told exactly.
"""

import asyncio
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_uppercase

from bench.figures import Figure, at_most, told
from tests.trials.binance import Trial
from tests.venues.binance.symbols import Symbol
from tests.venues.market import CORNERS

SYMBOLS = 100
BOUND = 20.0
TOLD = 30
"""How often a bar is told while it lasts: every two seconds ("Kline streams" of Binance's documentation)."""
_WARM = 2
"""The first minutes warm up, and are not counted."""
_MORE = tuple(Symbol(f"Y{one}{two}", "USDT") for one in "ABCDEFGHIJ" for two in ascii_uppercase[:10])


def measure(full: bool) -> list[Figure]:
    """The runner's share of one core in percent, and the orders that it sent meanwhile."""
    minutes = 60 if full else 10
    share, orders = asyncio.run(_measured(minutes))
    return [
        at_most(f"{SYMBOLS} symbols of minutes on one runner, share of a core", 100 * share, "%", BOUND),
        told(f"orders in those {minutes} minutes", orders, "orders"),
    ]


async def _measured(minutes: int) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        run = _Run()
        trial = _Crowd(Path(folder), _WARM + minutes + 1, symbols=SYMBOLS, patience=20.0, calm=True, trouble=run.note)
        await trial.run()
        taken = run.used[-1] - run.used[_WARM]
        return taken / (60 * (len(run.used) - 1 - _WARM)), len(trial.stack.record.tickets)


class _Crowd(Trial):
    """A market of many symbols, each of which tells its bar again and again while it lasts."""

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


@dataclass
class _Run:
    used: list[float] = field(default_factory=list)

    async def note(self, trial: Trial, minute: int) -> None:
        """The seconds of processor time that the runner has taken so far."""
        ticks = Path(f"/proc/{trial.stack.runner_pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        self.used.append(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
