"""The market falls past a stop while that is on its way: the venue refuses it, and the position is sold at once."""

from decimal import Decimal
from pathlib import Path

from shared.schemas.orders import OrderFilled, OrderIntended, OrderRejected
from tests.trials.binance import Trial
from tests.venues.binance.orders import Wanted


async def test_a_position_whose_stop_comes_too_late_is_sold_within_the_same_bar(tmp_path: Path) -> None:
    late: list[str] = []

    async def fall_ahead_of_the_next_stop(trial: Trial, minute: int) -> None:
        exchange = trial.server.account.exchange
        check = exchange.check

        def fallen_by_now(wanted: Wanted) -> None:
            if wanted.type.startswith("STOP_LOSS") and wanted.stop and not late:
                late.append(wanted.client_id)
                exchange.market.last[wanted.symbol] = (wanted.stop * Decimal("0.998")).quantize(Decimal("0.01"))
            check(wanted)

        if minute == 5:
            exchange.check = fallen_by_now  # type: ignore[method-assign]

    trial = Trial(tmp_path, 60, symbols=1, trouble=fall_ahead_of_the_next_stop)
    await trial.run()
    facts = trial.stack.record.facts
    refusal = next(fact for fact in facts if isinstance(fact, OrderRejected))
    assert refusal.order.client_order_id == late[0]
    assert "would trigger immediately" in refusal.details.reason
    behind = facts[facts.index(refusal) + 1 :]
    sale = next(fact for fact in behind if isinstance(fact, OrderIntended))
    assert (sale.order.purpose, sale.order.qty, sale.causation_id) == ("exit", refusal.order.qty, refusal.causation_id)
    sold = next(fact for fact in behind if isinstance(fact, OrderFilled))
    assert sold.order.client_order_id == sale.order.client_order_id
