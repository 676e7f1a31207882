"""What trading depends on is taken away for real: no new risk is taken, and it goes on as the session file says."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from shared.schemas.guard import TradingHalted, TradingResumed
from shared.schemas.orders import OrderSubmitted, OrderUnknown
from shared.schemas.values import Side
from tests.trials.binance import Trial
from tests.venues.faults import Fault

MINUTES_UNTIL_STALE = 3
ORDERS, STATEMENTS = "* /api/v3/order", "GET /api/v3/myTrades"


def _guard_freezes(trial: Trial) -> None:
    trial.stack.freeze("risk")


def _guard_thaws(trial: Trial) -> None:
    trial.stack.thaw("risk")


def _bus_dies(trial: Trial) -> None:
    trial.stack.lose_bus()


def _bus_is_back(trial: Trial) -> None:
    trial.stack.find_bus()


def _streams_fall_mute(trial: Trial) -> None:
    trial.faults.rate(Fault.MUTE, 1.0, "stream *")
    trial.faults.rate(Fault.SERVER_ERROR, 1.0, "GET /api/v3/klines")


def _clock_is_off(trial: Trial) -> None:
    trial.venue_ahead = timedelta(seconds=5)


def _calls_fail(trial: Trial) -> None:
    trial.faults.rate(Fault.SERVER_ERROR, 1.0, STATEMENTS)


def _order_is_lost(trial: Trial) -> None:
    trial.faults.rate(Fault.ANSWER_LOST, 1.0, "POST /api/v3/order")
    trial.faults.rate(Fault.SERVER_ERROR, 1.0, "GET /api/v3/order")
    trial.faults.rate(Fault.MUTE, 1.0, "stream executionReport")


def _mended(trial: Trial) -> None:
    trial.faults.clear()
    trial.venue_ahead = timedelta()


class Trouble:
    """Takes away what `condition` names, plays on, gives it back, and waits for what the guard makes of it."""

    def __init__(
        self, condition: str, take: Callable[[Trial], None], give: Callable[[Trial], None], resumes: bool
    ) -> None:
        self.condition, self.take, self.give, self.resumes = condition, take, give, resumes
        self.done = False

    async def __call__(self, trial: Trial, minute: int) -> None:
        if self.done or minute < 4:
            return
        self.done = True
        self.take(trial)
        if self.condition == "max_unknown_age":
            await self._lose_an_order(trial)
        if self.condition != "bus":
            await self._until_halted(trial)
            await self._play_on(trial)
        else:
            await trial.until(lambda: False, 4.0)
        self.give(trial)
        await trial.until(lambda: self._halted(trial))
        if self.resumes:
            await trial.until(lambda: self._restored(trial))
        else:
            await self._play_on(trial)
            assert not self._restored(trial)

    async def _lose_an_order(self, trial: Trial) -> None:
        while not trial.stack.record.unknown:
            await trial.play_minute()

    async def _until_halted(self, trial: Trial) -> None:
        """Minutes go by where it is the market's data that is missing."""
        for _ in range(MINUTES_UNTIL_STALE if self.condition == "max_data_age" else 0):
            await trial.play_minute()
        await trial.until(lambda: self._halted(trial))

    async def _play_on(self, trial: Trial) -> None:
        """Four minutes of a market that would be bought in."""
        before = _bought(trial)
        for _ in range(4):
            await trial.play_minute()
        assert _bought(trial) == before

    def _halted(self, trial: Trial) -> bool:
        halts = (fact.details for fact in trial.stack.record.facts if isinstance(fact, TradingHalted))
        return any(self.condition in halt.conditions for halt in halts)

    def _restored(self, trial: Trial) -> bool:
        words = (fact.details for fact in trial.stack.record.facts if isinstance(fact, TradingResumed))
        return any(self.condition in word.restored for word in words) and not trial.stack.record.unguarded


def _bought(trial: Trial) -> int:
    return sum(order.wanted.side == Side.BUY for order in trial.server.account.exchange.books.orders.values())


TROUBLES: Mapping[str, tuple[Callable[[Trial], None], Callable[[Trial], None], Mapping[str, object]]] = {
    "guard": (_guard_freezes, _guard_thaws, {}),
    "bus": (_bus_dies, _bus_is_back, {}),
    "max_data_age": (_streams_fall_mute, _mended, {"max_data_age": "2m"}),
    "clock": (_clock_is_off, _mended, {}),
    "max_api_errors": (_calls_fail, _mended, {"max_api_errors": 3}),
    "max_unknown_age": (_order_is_lost, _mended, {"max_unknown_age": "1s"}),
}


@pytest.mark.parametrize("condition", TROUBLES)
async def test_no_risk_is_taken_while_it_is_missing_and_trading_goes_on_once_it_is_back(
    tmp_path: Path, condition: str
) -> None:
    take, give, limits = TROUBLES[condition]
    trouble = Trouble(condition, take, give, resumes=True)
    trial = Trial(tmp_path, minutes=30, patience=1.0, trouble=trouble, risk={**limits, "resume_when_restored": True})
    await trial.run()
    restored = next(
        number
        for number, fact in enumerate(trial.stack.record.facts)
        if isinstance(fact, TradingResumed) and fact.details.restored
    )
    after = trial.stack.record.facts[restored:]
    assert any(isinstance(fact, OrderSubmitted) and fact.order.side == Side.BUY for fact in after)
    assert condition != "max_unknown_age" or any(isinstance(fact, OrderUnknown) for fact in trial.stack.record.facts)
    assert not trial.differences, "\n".join(trial.differences)


async def test_without_the_session_files_word_trading_waits_for_a_person(tmp_path: Path) -> None:
    trouble = Trouble("clock", _clock_is_off, _mended, resumes=False)
    trial = Trial(tmp_path, minutes=6, patience=1.0, trouble=trouble)
    await trial.run()
    assert trouble.done
    assert not trial.differences, "\n".join(trial.differences)
