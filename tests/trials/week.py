"""A week of market time at a venue's test server, with what a week brings: limits, outages, a stream that goes mute.

At the end the session's books equal the venue's, and its summary tells each trouble and what was done about it.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.domain import troubles
from shared.runtime import clock
from tests.trials import outcome
from tests.trials.venue_trial import VenueTrial
from tests.trials.venues import TRIALS
from tests.venues.faults import Fault, Faults

WEEK = 7 * 24 * 60


@dataclass(frozen=True)
class Outage:
    """Nothing reaches the venue for so many `minutes`; 0 is a cut that lasts a moment."""

    minutes: int


@dataclass(frozen=True)
class Mute:
    """The market's stream stays open and says nothing."""


@dataclass(frozen=True)
class Limit:
    """The venue refuses whatever is asked so many times; where it is `harsh` as it does with who goes on and on."""

    times: int
    harsh: bool = False


Trouble = Outage | Mute | Limit


def plan_of(minutes: int) -> Mapping[int, Sequence[Trouble]]:
    """A week's troubles, spread over so many minutes."""
    week: Sequence[Trouble] = (
        Outage(0),
        Limit(5),
        Outage(1),
        Mute(),
        Outage(5),
        Limit(2, harsh=True),
        Outage(0),
        Outage(30),
        Mute(),
    )
    return {minutes * (number + 1) // (len(week) + 1): (trouble,) for number, trouble in enumerate(week)}


class Week:
    """Strikes as planned."""

    def __init__(self, minutes: int) -> None:
        self._plan = plan_of(minutes)
        self._back_at: int | None = None

    async def strike(self, trial: VenueTrial, minute: int) -> None:
        """What the minute brings."""
        if minute == self._back_at:
            trial.faults.clear()
            self._back_at = None
        for trouble in self._plan.get(minute, ()):
            self._begin(trial, minute, trouble)

    def _begin(self, trial: VenueTrial, minute: int, trouble: Trouble) -> None:
        match trouble:
            case Outage(minutes):
                trial.cut_streams()
                if minutes:
                    trial.faults.rate(Fault.REQUEST_LOST, 1.0)
                    self._back_at = minute + minutes
            case Mute():
                trial.faults.next(Fault.MUTE, trial.bars)
            case Limit(times, harsh):
                fault = trial.harshest if harsh else Fault.TOO_MANY_REQUESTS
                trial.faults.next(fault, "GET *", times)
                trial.faults.next(fault, "POST *")


def trial_of(venue: str, folder: Path, minutes: int) -> VenueTrial:
    """The trial at `venue`, yet to run."""
    week = Week(minutes)
    faults = Faults(1, late_seconds=0.1, retry_after=1)
    return TRIALS[venue](folder, minutes, patience=0.4, trouble=week.strike, faults=faults, calm=True)


def troubles_of(trial: VenueTrial) -> list[dict[str, Any]]:
    """The troubles as the session's summary tells them."""
    told = troubles.NONE
    for fact in trial.stack.record.facts:
        told = troubles.evolve(told, fact)
    return troubles.as_document(told)


def main(arguments: Sequence[str] | None = None) -> int:
    """One week; what it came to."""
    parser = argparse.ArgumentParser("python -m tests.trials.week", description=__doc__.splitlines()[0])
    outcome.add_arguments(parser, minutes=WEEK)
    given = parser.parse_args(arguments)
    began = clock.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        trial = trial_of(given.venue, Path(folder), given.minutes)
        asyncio.run(trial.run())
    record = trial.stack.record
    outcome.write(
        given,
        {
            "minutes": given.minutes,
            "orders": len(record.tickets),
            "fills": len(record.fills),
            "statements": record.kinds.get("account_reconciled", 0),
            "troubles": troubles_of(trial),
            "seconds": round(clock.monotonic() - began),
            "differences": trial.differences,
        },
    )
    return 1 if trial.differences else 0


if __name__ == "__main__":
    sys.exit(main())
