"""From a venue's word of an execution on its stream to the fill stored on the bus, by the real runner.

The venue answers orders late, so that the stream is the first to tell of each fill. The clock starts when the venue
writes the message and stops at the bus's own stamp of storing; both are the machine's clock.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from bench.figures import Figure, at_most_times, beside
from bench.round_trip import round_trips
from shared.schemas.codec import decode
from shared.schemas.orders import OrderFilled
from shared.schemas.subjects import ALL_EVENTS, EVENTS
from tests.trials.binance import Trial
from tests.venues.faults import Fault, Faults
from tests.venues.market import Bar

REFERENCE = "nats-py core round trip"
BOUND = 3.0
_LATE_SECONDS = 0.15
_SYMBOL = "BTCUSDT"


def measure(full: bool) -> list[Figure]:
    """Microseconds, median and 99th percentile."""
    taken, trips = asyncio.run(_measured(600 if full else 120))
    ordered, trip = sorted(taken), median(trips) * 1e6
    far = ordered[int(0.99 * len(ordered))]
    title = "word of a fill on the venue's stream → stored"
    return [
        at_most_times(f"{title}, p50", median(ordered), "µs", REFERENCE, trip, BOUND),
        beside(f"{title}, p99", far, "µs", REFERENCE, trip),
    ]


async def _measured(minutes: int) -> tuple[Sequence[float], Sequence[float]]:
    faults = Faults(1, late_seconds=_LATE_SECONDS)
    faults.rate(Fault.ANSWER_LATE, 1.0, "POST /api/v3/order")
    with tempfile.TemporaryDirectory() as folder:
        trial = _OneAtATime(Path(folder), minutes, faults=faults, stops=False)
        trial.trouble, trial.before_the_end = _see, _read
        await trial.run()
        assert not trial.differences, "\n".join(trial.differences)
        return trial.taken[len(trial.taken) // 10 :], trial.trips


@dataclass
class _OneAtATime(Trial):
    """A market in which only one symbol moves, up and down in turn."""

    told: dict[str, int] = field(default_factory=dict)
    taken: list[float] = field(default_factory=list)
    trips: list[float] = field(default_factory=list)

    def _bar(self, symbol: str, opened: datetime) -> Bar:
        first, tick = self._prices[symbol], self.tick(symbol)
        rises = opened.minute % 4 < 2
        moved = first * (Decimal("1.001") if rises else Decimal("0.999")) if symbol == _SYMBOL else first
        last = (moved / tick).to_integral_value() * tick
        self._prices[symbol] = last
        return Bar(opened, first, max(first, last), min(first, last), last, Decimal(100))


async def _see(trial: Any, minute: int) -> None:
    """Note when the venue tells of an execution, from the first minute on."""
    if minute:
        return
    trial.trips += await round_trips(trial.stack.url, 400)
    tell = trial.server.publishing.tell_account

    async def noted(account: Any, event: dict[str, Any]) -> None:
        if event["e"] == "executionReport" and event["x"] == "TRADE":
            trial.told[str(event["t"])] = time.time_ns()
        await tell(account, event)

    trial.server.publishing.tell_account = noted


async def _read(trial: Any) -> None:
    trial.trips += await round_trips(trial.stack.url, 400)
    async for delivery in trial.stack.bus.read(EVENTS, [ALL_EVENTS]):
        event = decode(delivery.subject, delivery.payload)
        if isinstance(event, OrderFilled):
            trial.taken.append((delivery.stored_nanoseconds - trial.told[event.order.trade_id]) / 1000)
