"""A kill that the runner can't carry out: the guard stops the session at the venue itself, and nothing is doubled."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from shared.schemas.guard import BackstopEngaged, KillConfirmed
from shared.schemas.orders import OrderSubmitted
from tests.trials.binance import FUNDED, Trial
from tests.trials.stack import TrialStack
from tests.venues.binance.books import Books
from tests.venues.faults import Fault


class Stopping:
    """Stops a trial's runner amid a position in one way, kills, and brings the runner back once the venue is flat."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.flat: bool | None = None
        self.sold = 0

    async def __call__(self, trial: Trial, minute: int) -> None:
        if self.flat is None and not trial.stack.record.awaits and _stops(_books(trial)):
            await self._stop(trial)

    async def _stop(self, trial: Trial) -> None:
        stack, books = trial.stack, _books(trial)
        stack.freeze("runner") if self.way == "frozen" else stack.kill("runner")
        if self.way == "frozen":
            trial.faults.next(Fault.ANSWER_LOST, "POST /api/v3/order")
            trial.faults.next(Fault.SERVER_ERROR, "GET /api/v3/openOrders")
        await stack.command("kill", b"the runner hangs")
        await trial.until(lambda: _confirmed(stack))
        self.flat = not books.open_orders() and _held(trial) == {
            asset: amount for asset, amount in FUNDED.items() if asset not in ("USDT", "BNB")
        }
        self.sold = len(_guards(stack))
        stack.thaw("runner") if self.way == "frozen" else stack.start_runner()


def _books(trial: Trial) -> Books:
    return trial.server.account.exchange.books


def _stops(books: Books) -> bool:
    """Whether a position is open: each one has its stop at the venue."""
    return bool(list(books.open_orders()))


def _held(trial: Trial) -> dict[str, Decimal]:
    """What the account holds of the traded assets, but for dust."""
    total = _books(trial).ledger.total
    step = {"BTC": Decimal("0.001"), "ETH": Decimal("0.01")}
    return {asset: total[asset] - total[asset] % step[asset] for asset in ("BTC", "ETH")}


def _guards(stack: TrialStack) -> list[OrderSubmitted]:
    return [fact for fact in stack.record.facts if isinstance(fact, OrderSubmitted) and fact.service == "risk"]


def _confirmed(stack: TrialStack) -> bool:
    return any(isinstance(fact, KillConfirmed) and fact.status == "success" for fact in stack.record.facts)


@pytest.mark.parametrize(("way", "profits"), [("frozen", False), ("dead", False), ("dead", True)])
async def test_the_guard_flattens_for_a_runner_that_can_not_and_nothing_is_sold_twice(
    tmp_path: Path, way: str, profits: bool
) -> None:
    stopping = Stopping(way)
    trial = Trial(tmp_path, minutes=20, trouble=stopping, profits=profits)
    await trial.run()
    facts = trial.stack.record.facts
    assert stopping.flat, trial.stack.said("risk")[-3000:]
    assert stopping.sold
    assert len([fact for fact in facts if isinstance(fact, BackstopEngaged)]) == 1
    assert len(_guards(trial.stack)) == stopping.sold
    assert not trial.differences, "\n".join(trial.differences)
    sales = Counter(order.wanted.client_id for order in _books(trial).orders.values() if order.wanted.side == "SELL")
    assert max(sales.values(), default=1) == 1
