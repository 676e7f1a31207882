"""A kill that the runner can't carry out: the guard stops the session at the venue itself, and nothing is doubled."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from shared.schemas.guard import BackstopEngaged, KillConfirmed
from shared.schemas.orders import OrderSubmitted
from shared.schemas.values import Side
from tests.trials.stack import TrialStack
from tests.trials.venue_trial import VenueTrial
from tests.trials.venues import TRIALS
from tests.venues.faults import Fault

DUST = Decimal(10)
"""What is worth less can't be sold at either venue."""


class Stopping:
    """Stops a trial's runner amid a position in one way, kills, and brings the runner back once the venue is flat."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.flat: bool | None = None
        self.sold = 0

    async def __call__(self, trial: VenueTrial, minute: int) -> None:
        if self.flat is None and not trial.stack.record.awaits and trial.books().open_orders:
            await self._stop(trial)

    async def _stop(self, trial: VenueTrial) -> None:
        stack = trial.stack
        stack.freeze("runner") if self.way == "frozen" else stack.kill("runner")
        if self.way == "frozen":
            trial.faults.next(Fault.ANSWER_LOST, trial.sends)
            trial.faults.next(Fault.SERVER_ERROR, trial.lists)
        await stack.command("kill", b"the runner hangs")
        await trial.until(lambda: _confirmed(stack))
        self.flat = not trial.books().open_orders and _is_flat(trial)
        self.sold = len(_guards(stack))
        stack.thaw("runner") if self.way == "frozen" else stack.start_runner()


def _is_flat(trial: VenueTrial) -> bool:
    """Whether the account holds of everything traded what it began with, but for dust."""
    books = trial.books()
    for symbol, price in trial.market.last.items():
        asset, _ = books.assets_of(symbol)
        gained = books.balances.get(asset, Decimal(0)) - books.funded.get(asset, Decimal(0))
        if abs(gained) * price >= DUST:
            return False
    return True


def _guards(stack: TrialStack) -> list[OrderSubmitted]:
    return [fact for fact in stack.record.facts if isinstance(fact, OrderSubmitted) and fact.service == "risk"]


def _confirmed(stack: TrialStack) -> bool:
    return any(isinstance(fact, KillConfirmed) and fact.status == "success" for fact in stack.record.facts)


@pytest.mark.parametrize(
    ("venue", "way", "profits"),
    [
        *((venue, way, False) for venue in TRIALS for way in ("frozen", "dead")),
        ("binance", "dead", True),
    ],
)
async def test_the_guard_flattens_for_a_runner_that_can_not_and_nothing_is_sold_twice(
    tmp_path: Path, venue: str, way: str, profits: bool
) -> None:
    stopping = Stopping(way)
    trial = TRIALS[venue](tmp_path, minutes=20, trouble=stopping, profits=profits)
    await trial.run()
    facts = trial.stack.record.facts
    assert stopping.flat, trial.stack.said("risk")[-3000:]
    assert stopping.sold
    assert len([fact for fact in facts if isinstance(fact, BackstopEngaged)]) == 1
    assert len(_guards(trial.stack)) == stopping.sold
    assert not trial.differences, "\n".join(trial.differences)
    sales = Counter(order.name for order in trial.books().orders if order.side == Side.SELL)
    assert max(sales.values(), default=1) == 1
