"""Kills under full order flow: nothing but what closes positions is sent once a kill is stored.

The moments are the server's own: it writes one clock's reading to every message it stores, be it a command or a fact.
`make soak` runs the long form.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from bisect import bisect
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.schemas.codec import decode
from shared.schemas.orders import OrderAccepted, OrderFilled, OrderSubmitted
from shared.schemas.subjects import ALL_COMMANDS, ALL_EVENTS, CONTROL, EVENTS, parse_command_subject
from tests.trials.binance import Trial

SYMBOLS = 12
_MINUTE_SECONDS = 0.06
PAYLOADS = (b"", b"now", b'{"reason": "fat finger"}', b'{"reason": ', b"\xff\xfe\x00", b"x" * 1_000_000)
HALTED, RESUMED = ("risk", "trading_halted"), ("risk", "trading_resumed")
GO = b'{"reason": "again", "operator": "the storm"}'


@dataclass
class Outcome:
    """`told_after` orders were told as submitted after a kill was stored, `sent_after` of them did reach the venue.

    The milliseconds are from a kill's storing to the last such telling.
    """

    kills: int = 0
    orders: int = 0
    told_after: int = 0
    sent_after: int = 0
    longest_ms: float = 0.0


@dataclass
class Kills:
    """One session at the Binance test server, killed and resumed `kills` times amid its orders."""

    folder: Path
    kills: int
    seed: int = 1

    async def run(self) -> Outcome:
        """What it came to."""
        self._chance = random.Random(self.seed)
        self._killing: asyncio.Future[None] | None = None
        self._outcome = Outcome()
        trial = Trial(self.folder, self.kills + 1, self.seed, SYMBOLS, 1.0, self._strike)
        trial.before_the_end = self._judge
        await trial.run()
        assert not trial.differences, "\n".join(trial.differences)
        return self._outcome

    async def _strike(self, trial: Trial, minute: int) -> None:
        """Kill at a random moment of the minute to come; let the one before be over first."""
        if self._killing is not None:
            await self._killing
        if minute == self.kills:
            return
        self._killing = asyncio.ensure_future(self._kill(trial, self._chance.random() * _MINUTE_SECONDS))

    async def _kill(self, trial: Trial, later: float) -> None:
        await asyncio.sleep(later)
        told = trial.stack.record.told
        halts, resumptions = told[HALTED], told[RESUMED]
        await trial.stack.command("kill", self._chance.choice(PAYLOADS))
        await trial.until(lambda: told[HALTED] > halts)
        await trial.stack.command("resume", GO)
        await trial.until(lambda: told[RESUMED] > resumptions)

    async def _judge(self, trial: Trial) -> None:
        self._outcome = await _judged(trial.stack.bus)


async def _judged(bus: Bus) -> Outcome:
    """Reads both streams and holds every order against the kill that was in force when it was told."""
    spells = await _spells(bus)
    outcome, sent, suspects = Outcome(kills=len(spells)), set(), {}
    async for delivery in bus.read(EVENTS, [ALL_EVENTS]):
        event = decode(delivery.subject, delivery.payload)
        if isinstance(event, OrderSubmitted) and event.order.purpose != "flatten":
            outcome.orders += 1
            killed_at = _killed_at(spells, delivery.stored_nanoseconds)
            if killed_at is not None:
                suspects[event.order.client_order_id] = (delivery.stored_nanoseconds - killed_at) / 1e6
        elif isinstance(event, OrderAccepted | OrderFilled):
            sent.add(event.order.client_order_id)
    outcome.told_after = len(suspects)
    outcome.sent_after = len(sent & suspects.keys())
    outcome.longest_ms = round(max(suspects.values(), default=0.0), 3)
    return outcome


async def _spells(bus: Bus) -> Sequence[tuple[int, int]]:
    """From when to when a kill was in force, in the server's nanoseconds."""
    spells: list[tuple[int, int]] = []
    began: int | None = None
    async for delivery in bus.read(CONTROL, [ALL_COMMANDS]):
        name, _ = parse_command_subject(delivery.subject)
        if name == "kill":
            began = delivery.stored_nanoseconds
        elif began is not None:
            spells.append((began, delivery.stored_nanoseconds))
            began = None
    return spells


def _killed_at(spells: Sequence[tuple[int, int]], moment: int) -> int | None:
    place = bisect(spells, (moment, 0)) - 1
    return spells[place][0] if place >= 0 and moment < spells[place][1] else None


def main(arguments: Sequence[str] | None = None) -> int:
    """The storm; 1 where an order was sent after a kill was stored."""
    parser = argparse.ArgumentParser("python -m tests.trials.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, help="write the outcome as JSON, too")
    given = parser.parse_args(arguments)
    began = clock.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(Kills(Path(folder), given.kills, given.seed).run())
    text = json.dumps({**asdict(outcome), "seconds": round(clock.monotonic() - began)}, indent=2)
    print(text)
    if given.results:
        given.results.write_text(text + "\n")
    return 1 if outcome.sent_after else 0


if __name__ == "__main__":
    sys.exit(main())
