"""The guard is stopped by SIGSTOP or SIGKILL: positions are closed all the same, and nothing is bought."""

from decimal import Decimal
from pathlib import Path

from shared.schemas.guard import TradingHalted, TradingResumed
from shared.schemas.orders import OrderFilled, OrderReleased
from shared.schemas.values import Side
from tests.trials.binance import FUNDED, Trial

RISK = {"resume_when_restored": True}


def _bought(trial: Trial) -> int:
    return sum(order.wanted.side == Side.BUY for order in trial.server.account.exchange.books.orders.values())


def _is_flat(trial: Trial) -> bool:
    """Whether the account holds no more than before, but for dust."""
    total = trial.server.account.exchange.books.ledger.total
    return all(total[asset] - held < Decimal("0.01") for asset, held in FUNDED.items() if asset != "USDT")


def _halted(trial: Trial) -> bool:
    halts = (fact.details for fact in trial.stack.record.facts if isinstance(fact, TradingHalted))
    return any("guard" in halt.conditions for halt in halts)


def _released(trial: Trial) -> set[str]:
    return {fact.order.client_order_id for fact in trial.stack.record.facts if isinstance(fact, OrderReleased)}


def _sold(trial: Trial) -> set[str]:
    """The orders that went without the guard and have filled."""
    filled = {fact.order.client_order_id for fact in trial.stack.record.facts if isinstance(fact, OrderFilled)}
    return _released(trial) & filled


class StandsStill:
    """Freezes the guard once a position is held, sees it closed without the guard, and thaws it."""

    def __init__(self, *, kills: bool) -> None:
        self.kills, self.sold = kills, set[str]()

    async def __call__(self, trial: Trial, minute: int) -> None:
        if self.sold or minute < 4 or _is_flat(trial):
            return
        trial.stack.freeze("risk")
        await trial.until(lambda: _halted(trial))
        before = _bought(trial)
        if self.kills:
            await trial.stack.command("kill", b"the guard stands still")
            await trial.until(lambda: _is_flat(trial) and not trial.stack.record.awaits)
        while not _sold(trial):
            await trial.play_minute()
        assert _bought(trial) == before
        self.sold = _sold(trial)
        trial.stack.thaw("risk")
        if not self.kills:
            await trial.until(lambda: _is_restored(trial))


def _is_restored(trial: Trial) -> bool:
    words = (fact.details for fact in trial.stack.record.facts if isinstance(fact, TradingResumed))
    return any(word.restored for word in words) and not trial.stack.record.unguarded


async def test_positions_are_left_while_the_guard_stands_still_and_it_takes_that_up_when_it_wakes(
    tmp_path: Path,
) -> None:
    trouble = StandsStill(kills=False)
    trial = Trial(tmp_path, minutes=30, patience=1.0, trouble=trouble, risk=RISK)
    await trial.run()
    assert trouble.sold
    facts = trial.stack.record.facts
    back = next(n for n, fact in enumerate(facts) if isinstance(fact, TradingResumed) and fact.details.restored)
    assert any(isinstance(fact, OrderFilled) and fact.order.side == Side.BUY for fact in facts[back:])
    assert not trial.differences, "\n".join(trial.differences)


async def test_a_kill_closes_positions_while_the_guard_stands_still(tmp_path: Path) -> None:
    trouble = StandsStill(kills=True)
    trial = Trial(tmp_path, minutes=12, patience=1.0, trouble=trouble, risk={**RISK, "kill_patience": "2m"})
    await trial.run()
    assert trouble.sold
    assert _is_flat(trial)
    assert not trial.differences, "\n".join(trial.differences)


class Dies:
    """Ends the guard for good once a position is held."""

    done = False

    async def __call__(self, trial: Trial, minute: int) -> None:
        if not self.done and minute >= 4 and not _is_flat(trial):
            trial.stack.kill("risk")
            self.done = True
            await trial.until(lambda: _halted(trial))


async def test_a_session_whose_guard_is_dead_ends_flat_and_in_good_order(tmp_path: Path) -> None:
    trouble = Dies()
    trial = Trial(tmp_path, minutes=12, patience=1.0, trouble=trouble)
    await trial.run()
    assert trouble.done
    assert _is_flat(trial)
    assert trial.stack.record.ended is not None
    assert trial.stack.record.ended.status == "success"
    assert _released(trial)
