"""Orders at a venue's test server under all faults at once, with the runner killed in between.

At the end no order may have been placed twice, none be unknown, and positions, balances and fees must equal the venue's
to the last digit. `make soak` runs the long form.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.runtime import clock
from tests.trials import outcome
from tests.trials.venue_trial import VenueTrial
from tests.trials.venues import TRIALS
from tests.venues.faults import Fault, Faults

MINUTES = (2 * 24 + 3) * 60
"""When so many are over, stocks are traded: what is held can be sold."""
AT_CALLS = (
    Fault.REQUEST_LOST,
    Fault.ANSWER_LOST,
    Fault.ANSWER_LATE,
    Fault.TOO_MANY_REQUESTS,
    Fault.BANNED,
    Fault.SERVER_ERROR,
    Fault.SERVER_ERROR_EXECUTED,
    Fault.CLOCK,
    Fault.STALE_READ,
    Fault.UNKNOWN_FIELDS,
    Fault.MISSING_FIELDS,
)
IN_STREAMS = (
    Fault.DUPLICATED,
    Fault.REORDERED,
    Fault.CUT,
    Fault.MUTE,
    Fault.UNKNOWN_FIELDS,
    Fault.MISSING_FIELDS,
)


def faults(share: float, seed: int) -> Faults:
    """Every fault at that share of all calls, and at a quarter of it in the streams; a fifth of all orders in parts."""
    planned = Faults(seed, late_seconds=0.1, retry_after=1)
    for fault in AT_CALLS:
        planned.rate(fault, share)
    for fault in IN_STREAMS:
        planned.rate(fault, share / 4, "stream *")
    planned.rate(Fault.PARTIAL, 0.2, "fill *")
    return planned


@dataclass
class Storm:
    """A session at `venue` of `minutes` on `symbols`, with so many kills of the runner at random moments.

    With `profits` each stop has a take-profit beside it.
    """

    venue: str
    folder: Path
    minutes: int
    kills: int
    share: float = 0.01
    seed: int = 1
    symbols: int = 3
    profits: bool = False
    killed: int = 0
    _killing: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> VenueTrial:
        """The trial, when it is over; AssertionError where our books differ from the venue's."""
        self._random = random.Random(self.seed)
        self._when = set(self._random.sample(range(self.minutes), self.kills))
        trial = TRIALS[self.venue](
            self.folder,
            self.minutes,
            self.seed,
            self.symbols,
            1.0,
            self._strike,
            faults(self.share, self.seed),
            profits=self.profits,
        )
        await trial.run()
        assert not trial.differences, "\n".join(trial.differences)
        return trial

    async def _strike(self, trial: VenueTrial, minute: int) -> None:
        if minute in self._when:
            task = asyncio.ensure_future(self._kill(trial, self._random.random() * 0.15))
            self._killing.add(task)
            task.add_done_callback(self._killing.discard)

    async def _kill(self, trial: VenueTrial, later: float) -> None:
        await asyncio.sleep(later)
        trial.stack.kill("runner")
        self.killed += 1
        trial.stack.start_runner()


def main(arguments: Sequence[str] | None = None) -> int:
    """One storm; a line of what it came to."""
    parser = argparse.ArgumentParser("python -m tests.trials.storm", description=__doc__.splitlines()[0])
    outcome.add_arguments(parser, minutes=MINUTES)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--symbols", type=int, default=16)
    parser.add_argument("--share", type=float, default=0.004)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profits", action="store_true", help="a take-profit beside each stop")
    given = parser.parse_args(arguments)
    began = clock.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        how = (given.minutes, given.kills, given.share, given.seed, given.symbols, given.profits)
        storm = Storm(given.venue, Path(folder), *how)
        trial = asyncio.run(storm.run())
    record = trial.stack.record
    outcome.write(
        given,
        {
            "orders": len(record.tickets),
            "placed": len(trial.books().orders),
            "fills": len(record.fills),
            "kills": storm.killed,
            "once unknown": record.kinds.get("order_unknown", 0),
            "faults": {str(fault): count for fault, count in sorted(trial.faults.drawn.items())},
            "seconds": round(clock.monotonic() - began),
            "differences": 0,
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
