"""From `control.kill` to the cancels at the venue: the real runner and guard, 20 open orders, a local Binance server.

The clock starts when the command is published and stops when the venue has read a request. Venue, market and operator
share one process, so what the venue takes to answer one cancel is in the way of the next.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median

from bench.figures import Figure, at_most_times, beside
from bench.round_trip import round_trips
from shared.runtime import clock
from tests.trials.binance import Trial

REFERENCE = "nats-py core round trip"
BOUND = 10.0
ORDERS = 20
_FALLS, _RISES = 3, 3
_CANCEL = "DELETE /api/v3/order"
_GO = b'{"reason": "again", "operator": "the benchmark"}'


def measure(full: bool) -> list[Figure]:
    """Median and 99th percentile to the first cancel, and the median to the last."""
    kills, trips = asyncio.run(_measured(60 if full else 15))
    trip = median(trips)
    first, last = ([one[place] * 1e6 for one in kills] for place in (0, -1))
    title = f"kill → cancel on the wire, {ORDERS} open orders"
    return [
        at_most_times(f"{title}, first, p50", median(first), "µs", REFERENCE, trip * 1e6, BOUND),
        beside(f"{title}, first, longest", max(first), "µs", REFERENCE, trip * 1e6),
        beside(f"{title}, last, p50", median(last), "µs", REFERENCE, trip * 1e6),
    ]


async def _measured(kills: int) -> tuple[Sequence[Sequence[float]], Sequence[float]]:
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(kills)
        trial = _Waves(Path(folder), (kills + 1) * (_FALLS + _RISES), symbols=ORDERS, patience=2.0, trouble=run.strike)
        await trial.run()
        return run.taken, run.trips


class _Waves(Trial):
    """A market of which all symbols fall together, then rise together, so that the strategy holds all of them."""

    _minutes = 0

    async def play_minute(self) -> None:
        """The next minute, up or down."""
        self._minutes += 1
        await super().play_minute()

    def _moved(self, price: Decimal, volatility: float, tick: Decimal) -> Decimal:
        rises = (self._minutes - 1) % (_FALLS + _RISES) >= _FALLS
        return (price * (Decimal("1.002") if rises else Decimal("0.998")) / tick).to_integral_value() * tick


@dataclass
class _Run:
    kills: int

    def __post_init__(self) -> None:
        self.taken: list[Sequence[float]] = []
        self.trips: list[float] = []

    async def strike(self, trial: Trial, minute: int) -> None:
        """At the top of each wave, once every order is open: kill, see the cancels, resume."""
        if not minute or minute % (_FALLS + _RISES) or len(self.taken) == self.kills:
            return
        await trial.until(lambda: sum(stage == "working" for stage in trial.stack.record.stages.values()) == ORDERS)
        self.trips += await round_trips(trial.stack.url, 50)
        asked, told = len(trial.server.requests), trial.stack.record.told
        confirmed = told["risk", "kill_confirmed"]
        began = clock.monotonic()
        await trial.stack.command("kill")
        await trial.until(lambda: told["risk", "kill_confirmed"] > confirmed)
        cancels = [one.came - began for one in trial.server.requests[asked:] if one.name == _CANCEL]
        assert len(cancels) == ORDERS, f"{len(cancels)} cancels for {ORDERS} orders"
        self.taken.append(cancels)
        resumed = told["risk", "trading_resumed"]
        await trial.stack.command("resume", _GO)
        await trial.until(lambda: told["risk", "trading_resumed"] > resumed)
