"""A position with a stop and a take-profit: one list at the venue where it has lists, else the runner watches."""

from decimal import Decimal

import pytest

from shared.schemas.lifecycle import Checkpoint
from shared.schemas.orders import OrderCancelled, OrderFilled, OrderIntended, OrderRejected
from shared.schemas.session import Sizing
from tests.rehearsal import Rehearsed, candle, candles_at, feed_of, rehearse, session

BOTH = {"method": "fraction", "fraction": "0.5", "stop_distance": "0.02", "profit_distance": "0.05"}
RISE = ["100", "100", "100", "101", "102"]
NO_LISTS = {"tick_size": "0", "lot_step": "0.00000001", "has_lists": False}


def tickets(result: Rehearsed) -> list[tuple[str, Decimal | None, Decimal | None]]:
    return [(e.order.purpose, e.order.stop_price, e.order.take_profit) for e in result.told(OrderIntended)]


def prices(result: Rehearsed) -> list[Decimal]:
    return [fill.order.price for fill in result.told(OrderFilled)]


def test_stop_and_take_profit_go_to_the_venue_as_one() -> None:
    result = rehearse(session(sizing=BOTH), feed_of(candles_at(RISE)))
    stop, target = Decimal("98.98"), Decimal("106.05")
    assert tickets(result) == [("entry", None, target), ("stop", stop, target)]


def test_the_gain_is_taken_at_the_limit_and_the_stop_is_gone() -> None:
    candles = [*candles_at(RISE), candle(5, "103", open="102", high="107"), candle(6, "90", open="103")]
    result = rehearse(session(sizing=BOTH), feed_of(candles))
    assert prices(result) == [Decimal(101), Decimal("106.05")]
    assert not result.state.portfolio.positions
    assert not result.state.orders
    assert result.told(OrderFilled)[-1].order.liquidity == "maker"
    assert result.told(OrderFilled)[-1].order.reference_price == Decimal("106.05")


def test_the_stop_that_is_hit_first_ends_the_take_profit() -> None:
    candles = [*candles_at(RISE), candle(5, "108", open="102", low="98", high="109"), candle(6, "107")]
    result = rehearse(session(sizing=BOTH), feed_of(candles))
    assert prices(result) == [Decimal(101), Decimal("98.98")]
    assert not result.state.orders


def test_what_a_take_profit_leaves_gets_a_list_of_its_own() -> None:
    thin = candle(5, "104", open="102", high="107", volume="10")
    candles = [*candles_at(RISE), thin, candle(6, "104"), candle(7, "98", open="104", low="97")]
    result = rehearse(session(sizing=BOTH, paper={"participation": "1"}), feed_of(candles))
    first, second = (e.order for e in result.told(OrderIntended) if e.order.purpose == "stop")
    assert second.qty == first.qty - 10
    assert second.take_profit == first.take_profit
    assert "take-profit began to fill" in result.told(OrderCancelled)[0].details.reason
    assert prices(result) == [Decimal(101), Decimal("106.05"), Decimal("98.98")]
    assert not result.state.portfolio.positions


def test_what_an_entry_buys_after_its_first_part_took_profit_is_protected_as_that_was() -> None:
    thin, taken = candle(4, "101", volume="10"), candle(5, "101.5", open="106.5", low="101.2", volume="10")
    bought = candle(6, "102", open="101.5", low="100", volume="40")
    waiting = session(sizing=BOTH, orders={"entry": "limit"}, paper={"participation": "1"})
    result = rehearse(waiting, feed_of([*candles_at(RISE[:-1]), thin, taken, bought]))
    first, second = (event.order for event in result.told(OrderIntended) if event.order.purpose == "stop")
    assert prices(result) == [Decimal(101), Decimal("106.5"), Decimal(101)]
    assert second.qty == result.state.portfolio.held("ema_crossover", "BTCUSDT")
    assert (second.stop_price, second.take_profit) == (first.stop_price, first.take_profit)


def test_without_lists_the_stop_stands_at_the_venue_and_the_runner_takes_the_profit() -> None:
    candles = [*candles_at(RISE), candle(5, "107", open="102"), candle(6, "108", open="107.5")]
    result = rehearse(session(sizing=BOTH, instrument=NO_LISTS), feed_of(candles))
    assert tickets(result)[1:] == [("stop", Decimal("98.98"), None), ("exit", None, None)]
    assert prices(result) == [Decimal(101), Decimal("107.5")]
    assert result.told(OrderCancelled)[0].details.reason == "the take-profit of 106.05 is reached"


def test_a_position_that_is_past_its_take_profit_before_its_list_stands_is_closed() -> None:
    candles = [*candles_at(RISE[:-1]), candle(4, "107", open="101"), candle(5, "106", open="107")]
    result = rehearse(session(sizing=BOTH), feed_of(candles))
    assert [purpose for purpose, _, _ in tickets(result)] == ["entry", "exit"]


@pytest.mark.parametrize("sizing", [BOTH, {**BOTH, "profit_distance": None}])
def test_a_position_that_falls_past_its_stop_before_that_stands_is_closed(sizing: dict[str, str | None]) -> None:
    candles = [*candles_at(RISE[:-1]), candle(4, "98", open="101"), candle(5, "97", open="98")]
    result = rehearse(session(sizing=sizing), feed_of(candles))
    assert [purpose for purpose, _, _ in tickets(result)] == ["entry", "exit"]
    assert prices(result) == [Decimal(101), Decimal(98)]


def test_the_stop_goes_alone_where_the_venues_band_forbids_the_take_profit() -> None:
    banded = {"tick_size": "0", "lot_step": "0.00000001", "band_up": "1.02", "band_down": "0.5"}
    result = rehearse(session(sizing=BOTH, instrument=banded), feed_of(candles_at(RISE)))
    assert tickets(result)[1] == ("stop", Decimal("98.98"), None)
    assert result.told(OrderRejected) == []


def test_a_take_profit_needs_a_stop() -> None:
    with pytest.raises(ValueError, match="stop_distance"):
        Sizing(profit_distance=Decimal("0.05"))


def test_nothing_is_told_of_sizes_where_all_fits() -> None:
    result = rehearse(session(sizing=BOTH), feed_of(candles_at(RISE)))
    assert not [each for each in result.told(Checkpoint) if each.status == "fail"]
