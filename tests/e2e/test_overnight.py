"""A session that is asked to stop while the stock exchange is closed: told, and carried out at the opening."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.runner.core.hours import WAITING
from shared.schemas.lifecycle import Checkpoint
from shared.schemas.market import TradingHoursChanged
from shared.schemas.orders import OrderFilled, OrderIntended, OrderRejected
from shared.schemas.values import Side
from tests.trials.alpaca import Trial

CLOSE = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
OPENING = datetime(2026, 1, 6, 14, 30, tzinfo=UTC)
A_MOMENT = timedelta(seconds=1)
"""A fill that is heard right after the close may still lead to an order, which is refused then."""
STOCK = "AAPL"


class Evening(Trial):
    """Begins half an hour before the close."""

    start = CLOSE - timedelta(minutes=30)


def standings(trial: Evening) -> list[str]:
    """How the exchange has been told to stand."""
    return [each.details.standing for each in trial.stack.record.facts if isinstance(each, TradingHoursChanged)]


async def overnight(trial: Evening, minute: int) -> None:
    """Ask the session to stop after the close, then let the night pass in which nobody has told a bar."""
    if minute == 34:
        assert STOCK in {position.asset.symbol for position in trial.server.positions.values()}
        await trial.until(lambda: standings(trial) == ["open", "closed"])
        trial.stack.stop_runner()
    if minute == 37:
        trial.market.now = OPENING - timedelta(minutes=2)
        trial.market_clock.set(trial.market.now)


async def test_what_is_to_be_closed_overnight_is_told_and_sold_at_the_opening(tmp_path: Path) -> None:
    trial = Evening(tmp_path, 42, symbols=2, seed=1, trouble=overnight)
    await trial.run()
    facts = trial.stack.record.facts
    assert not trial.differences, "\n".join(trial.differences)
    assert standings(trial) == ["open", "closed", "open"]
    (waiting,) = (fact for fact in facts if isinstance(fact, Checkpoint) and fact.details.name == WAITING)
    assert waiting.details.observed.startswith(f"{STOCK} is to be closed")
    meanwhile = [fact for fact in facts if CLOSE + A_MOMENT < fact.market_time < OPENING]
    assert not [each for each in meanwhile if isinstance(each, OrderIntended) and each.order.symbol == STOCK]
    assert not any(isinstance(fact, OrderRejected) for fact in meanwhile)
    sale = [fact for fact in facts if isinstance(fact, OrderFilled) and fact.order.symbol == STOCK][-1]
    assert (sale.order.side, sale.market_time >= OPENING) == (Side.SELL, True)
