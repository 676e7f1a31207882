"""From a venue's word to the fact: an execution told on the account's stream, until its fill is stored on the bus.

The real runner hears the unmodified ccxt's stream from a local Binance server. The clock starts before the server
encodes the message and stops when the bus's answer, that the fill is stored, has been read. The reference is nats-py's
core round trip; executions and round trips take turns, so that both meet the same machine.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from bench.figures import Figure, at_most_times, beside
from bench.round_trip import tripping
from shared.runtime import clock
from shared.schemas.codec import decode
from shared.schemas.orders import OrderFilled
from shared.schemas.subjects import event_subject
from tests.trials.binance import Trial
from tests.venues.binance.account import Account

REFERENCE = "nats-py core round trip"
BOUND = 3.0
_SYMBOL = "BTCUSDT"
_FALLS = 2
_UNHEARD = 50
"""The first executions warm up, and are not counted."""


def measure(full: bool) -> list[Figure]:
    """Median and 99th percentile in microseconds, beside the median round trip."""
    taken, trips = asyncio.run(_measured(1000 if full else 300))
    middle, far = (_quantile(taken, share) * 1e6 for share in (0.5, 0.99))
    title = "execution on the venue's stream → fill stored"
    return [
        at_most_times(f"{title}, p50", middle, "µs", REFERENCE, median(trips) * 1e6, BOUND),
        beside(f"{title}, p99", far, "µs", REFERENCE, _quantile(trips, 0.99) * 1e6),
    ]


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return median(ordered) if share == 0.5 else ordered[min(int(share * len(ordered)), len(ordered) - 1)]


async def _measured(count: int) -> tuple[Sequence[float], Sequence[float]]:
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(count)
        await _Resting(Path(folder), 7, stops=False, patience=2.0, trouble=run.strike).run()
        return run.taken, run.trips


class _Resting(Trial):
    """A market that falls, then rises: the strategy enters by limit orders, which rest until one is filled."""

    _minutes = 0

    async def play_minute(self) -> None:
        """The next minute, down or up."""
        self._minutes += 1
        await super().play_minute()

    def _session(self) -> str:
        rests = 'entry = "limit"\nlimit_offset = 0.02\ncancel_after_bars = 1000'
        return super()._session().replace('stop = "stop_limit"', f'stop = "stop_limit"\n{rests}')

    def _moved(self, price: Decimal, volatility: float, tick: Decimal) -> Decimal:
        factor = Decimal("1.001") if self._minutes > _FALLS else Decimal("0.999")
        return (price * factor / tick).to_integral_value() * tick


@dataclass
class _Run:
    count: int
    taken: list[float] = field(default_factory=list)
    trips: list[float] = field(default_factory=list)
    _sent: dict[str, float] = field(default_factory=dict)
    _answers: dict[int, float] = field(default_factory=dict)

    async def strike(self, trial: Trial, minute: int) -> None:
        """Once an entry rests, let it fill in many pieces, one after the other."""
        if self.taken or minute < 4:
            return
        await trial.until(lambda: "working" in trial.stack.record.stages.values())
        self._note_sending(trial)
        client = await nats.connect(trial.stack.url)
        try:
            await client.subscribe("_INBOX.>", cb=self._answered)
            async with tripping(trial.stack.url) as trip:
                await self._fill_in_pieces(trial, trip)
            stored = await self._fills(client)
        finally:
            await client.close()
        told = [self._answers[stored[trade]] - sent for trade, sent in self._sent.items()]
        self.taken += told[_UNHEARD:]

    async def _answered(self, message: Msg) -> None:
        """What the bus answers to a writer, which goes to every subscriber: here, that a fact is stored."""
        came = clock.monotonic()
        answer = json.loads(message.data) if b'"seq"' in message.data else {}
        self._answers.setdefault(answer.get("seq", 0), came)

    async def _fills(self, client: Client) -> dict[str, int]:
        """The number in the stream of each execution's fill."""
        stream = client.jetstream()
        reading = await stream.subscribe(event_subject("*", "runner", "order_filled"), ordered_consumer=True)
        found: dict[str, int] = {}
        while len(found) < len(self._sent):
            message = await reading.next_msg(timeout=10)
            event = decode(message.subject, message.data)
            assert isinstance(event, OrderFilled)
            if event.order.trade_id in self._sent:
                found[event.order.trade_id] = message.metadata.sequence.stream
        return found

    def _note_sending(self, trial: Trial) -> None:
        publishing = trial.server.publishing
        tell = publishing.tell_account

        async def noted(account: Account, event: dict[str, Any]) -> None:
            if event.get("x") == "TRADE":
                self._sent[str(event["t"])] = clock.monotonic()
            await tell(account, event)

        publishing.tell_account = noted  # type: ignore[method-assign]

    async def _fill_in_pieces(self, trial: Trial, trip: Callable[[], Awaitable[float]]) -> None:
        exchange = trial.server.account.exchange
        order = next(order for order in exchange.books.orders.values() if order.open and order.wanted.symbol == _SYMBOL)
        step = trial.server.venue.symbols[_SYMBOL].step
        pieces = min(self.count + _UNHEARD, int(order.leaves / step) - 1)
        assert pieces > _UNHEARD, f"{order.leaves} has too few pieces"
        for number in range(pieces):
            exchange._trade(order, order.wanted.price, step, maker=True)
            await trial.server.publishing.publish()
            await trial.until(partial(self._has_told, trial, number))
            self.trips.append(await trip())

    def _has_told(self, trial: Trial, count: int) -> bool:
        return trial.stack.record.told["runner", "order_filled"] > count
