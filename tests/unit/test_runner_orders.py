"""How the runner turns stances into orders, protects positions and closes them."""

from decimal import Decimal

from shared.schemas.lifecycle import Checkpoint, RunnerEnd
from shared.schemas.market import EquityMarked, SignalRaised
from shared.schemas.orders import OrderCancelled, OrderFilled, OrderIntended, OrderRefused
from tests.rehearsal import candle, candles_at, feed_of, rehearse, session

RISE = ["100", "100", "100", "101", "102", "103"]
RISE_AND_FALL = [*RISE, "99", "98", "97"]
STOPPED_OUT = {"method": "fraction", "fraction": "0.5", "stop_distance": "0.02"}


def test_buys_at_the_open_after_the_deciding_bar() -> None:
    result = rehearse(session(), feed_of(candles_at(RISE)))
    decided, filled = result.told(OrderIntended)[0], result.told(OrderFilled)[0]
    assert filled.order.client_order_id == decided.order.client_order_id
    assert filled.market_time > decided.market_time
    assert filled.order.price == Decimal(101)


def test_sizes_an_entry_by_the_fraction_of_equity_at_the_deciding_close() -> None:
    ticket = rehearse(session(sizing={"fraction": "0.5"}), feed_of(candles_at(RISE))).told(OrderIntended)[0].order
    assert ticket.qty == Decimal("49.50495049")
    assert ticket.reference_price == Decimal(101)


def test_sizes_an_entry_by_the_risk_to_its_stop() -> None:
    sizing = {"method": "risk", "risk_per_trade": "0.01", "stop_distance": "0.05"}
    ticket = rehearse(session(sizing=sizing), feed_of(candles_at(RISE))).told(OrderIntended)[0].order
    assert ticket.protective_stop == Decimal("95.95")
    assert ticket.qty * (ticket.reference_price - Decimal("95.95")) <= Decimal(100)


def test_never_orders_more_than_the_cash_can_pay_with_fees() -> None:
    costly = session(sizing={"fraction": "1"}, paper={"taker_fee": "0.01", "maker_fee": "0.01"})
    ticket = rehearse(costly, feed_of(candles_at(RISE))).told(OrderIntended)[0].order
    assert ticket.qty * ticket.reference_price * Decimal("1.01") <= Decimal(10_000)


def test_leaves_when_the_strategy_turns() -> None:
    result = rehearse(session(), feed_of(candles_at(RISE_AND_FALL)))
    assert [intent.order.purpose for intent in result.told(OrderIntended)] == ["entry", "exit"]
    assert result.state.portfolio.trades == 1
    assert not result.state.portfolio.positions


def test_protects_a_filled_entry_with_a_stop() -> None:
    result = rehearse(session(sizing=STOPPED_OUT), feed_of(candles_at(RISE)))
    entry, stop = (intent.order for intent in result.told(OrderIntended))
    assert (stop.purpose, stop.stop_price, stop.qty) == ("stop", entry.protective_stop, entry.qty)
    assert stop.reduce_only


def test_a_stop_that_fills_closes_the_position_and_nothing_reenters_without_a_new_signal() -> None:
    crash = [*candles_at(RISE), candle(6, "103.5", open="103", low="90"), candle(7, "104", open="103.5")]
    result = rehearse(session(sizing=STOPPED_OUT), feed_of(crash))
    assert [fill.order.side for fill in result.told(OrderFilled)] == ["buy", "sell"]
    assert result.told(OrderFilled)[-1].order.price == Decimal("98.98")
    assert len(result.told(OrderIntended)) == 2


def test_takes_the_stop_back_before_it_orders_the_exit() -> None:
    result = rehearse(session(sizing=STOPPED_OUT | {"stop_distance": "0.2"}), feed_of(candles_at(RISE_AND_FALL)))
    purposes = [intent.order.purpose for intent in result.told(OrderIntended)]
    assert purposes == ["entry", "stop", "exit"]
    names = result.names
    assert names.index("order_cancelled") < len(names) - names[::-1].index("order_intended") - 1
    assert result.told(OrderRefused) == []


def test_places_stop_limit_orders_where_the_session_wants_them() -> None:
    config = session(sizing=STOPPED_OUT, orders={"stop": "stop_limit", "stop_limit_offset": "0.01"})
    stop = rehearse(config, feed_of(candles_at(RISE))).told(OrderIntended)[1].order
    assert stop.type == "stop_limit"
    assert stop.stop_price is not None
    assert stop.price == stop.stop_price * Decimal("0.99")


def test_a_limit_entry_waits_at_its_price_and_is_taken_back_after_its_bars() -> None:
    config = session(orders={"entry": "limit", "limit_offset": "0.05", "cancel_after_bars": 2})
    result = rehearse(config, feed_of(candles_at([*RISE, "104", "105"])))
    assert result.told(OrderIntended)[0].order.price == Decimal("95.95")
    assert result.told(OrderFilled) == []
    assert "2 bars" in result.told(OrderCancelled)[0].details.reason


def test_a_limit_entry_fills_when_the_market_comes_to_it() -> None:
    config = session(orders={"entry": "limit", "limit_offset": "0.01"})
    dip = [*candles_at(RISE[:4]), candle(4, "102", open="101", low="99"), candle(5, "103", open="102")]
    fill = rehearse(config, feed_of(dip)).told(OrderFilled)[0].order
    assert (fill.price, fill.liquidity) == (Decimal("99.99"), "maker")


def test_says_so_when_an_order_would_be_too_small() -> None:
    config = session(instrument={"lot_step": "1000", "tick_size": "0"})
    result = rehearse(config, feed_of(candles_at(RISE)))
    told = [check for check in result.told(Checkpoint) if check.status == "fail"]
    assert "rounds down to zero" in told[0].details.observed
    assert result.told(OrderIntended) == []


def test_flattens_on_the_last_bars_when_the_session_wants_it() -> None:
    result = rehearse(session(on_stop="flatten"), feed_of(candles_at([*RISE, "104", "105"])))
    assert [intent.order.purpose for intent in result.told(OrderIntended)] == ["entry", "flatten"]
    assert result.told(OrderFilled)[-1].order.price == Decimal(104)
    end = result.told(RunnerEnd)[0]
    assert (end.status, end.details.open_positions, end.details.reason) == ("success", 0, "the end of the data")


def test_keeps_positions_when_the_session_wants_it() -> None:
    end = rehearse(session(on_stop="keep"), feed_of(candles_at(RISE))).told(RunnerEnd)[0]
    assert end.details.open_positions == 1


def test_ends_at_its_longest_duration() -> None:
    result = rehearse(session(schedule={"max_duration": "4m"}), feed_of(candles_at(RISE_AND_FALL)))
    assert result.told(RunnerEnd)[0].details.reason == "max_duration"
    assert len(result.told(EquityMarked)) < len(RISE_AND_FALL)


def test_takes_no_new_risk_outside_its_schedule() -> None:
    closed = session(schedule={"weekdays": ["sat", "sun"]})
    result = rehearse(closed, feed_of(candles_at(RISE)))
    assert result.told(SignalRaised)
    assert result.told(OrderIntended) == []


def test_history_for_the_warm_up_is_not_traded() -> None:
    result = rehearse(session(warmup_bars=5), feed_of(candles_at(RISE)))
    phases = [event.phase for event in result.events if event.type == "candle_closed"]
    assert phases == ["strategy_phase"] * 5 + ["api_phase"]
    assert result.told(OrderIntended) == []


def test_a_slice_is_told_in_the_documented_order() -> None:
    names = rehearse(session(), feed_of(candles_at(RISE))).names
    start = names.index("signal_raised")
    assert names[start - 2 : start + 5] == [
        "candle_closed",
        "equity_marked",
        "signal_raised",
        "order_intended",
        "order_approved",
        "order_submitted",
        "order_accepted",
    ]


def test_deciding_again_gives_the_same_facts() -> None:
    config, feed = session(sizing=STOPPED_OUT), feed_of(candles_at(RISE_AND_FALL))
    assert rehearse(config, feed).events == rehearse(config, feed).events


def test_an_entry_is_no_larger_than_one_order_may_be() -> None:
    config = session(instrument={"lot_step": "1", "tick_size": "0", "market_max_qty": "20"})
    assert rehearse(config, feed_of(candles_at(RISE))).told(OrderIntended)[0].order.qty == 20


def test_a_position_too_large_for_one_order_is_left_in_several() -> None:
    rules = {"lot_step": "1", "tick_size": "0", "market_max_qty": "20"}
    config = session(orders={"entry": "limit"}, instrument=rules, sizing={"fraction": "0.5"})
    rise_and_fall = [candle(n, price, open=price, low="90") for n, price in enumerate([*RISE_AND_FALL, "96", "95"])]
    result = rehearse(config, feed_of(rise_and_fall))
    assert [intent.order.qty for intent in result.told(OrderIntended)] == [49, 20, 20, 9]
    assert not result.state.portfolio.positions


def test_a_limit_that_the_venue_would_not_take_is_refused_by_its_filters_name() -> None:
    rules = {"band_down": "0.9", "band_up": "1.1"}
    config = session(orders={"entry": "limit", "limit_offset": "0.2"}, instrument=rules)
    result = rehearse(config, feed_of(candles_at(RISE)))
    told = [check for check in result.told(Checkpoint) if check.status == "fail"]
    assert "PERCENT_PRICE_BY_SIDE: 80.8" in told[0].details.observed
    assert result.told(OrderIntended) == []


def test_one_stop_takes_the_place_of_many_when_an_entry_fills_in_parts() -> None:
    orders = {"entry": "limit", "cancel_after_bars": 20}
    config = session(sizing=STOPPED_OUT, orders=orders, paper={"participation": "0.001"})
    dips = [candle(n, str(98 + n), open=str(97 + n), low="100.5", volume="10000") for n in range(6, 14)]
    result = rehearse(config, feed_of([*candles_at(RISE), *dips]))
    stops = [order for order in result.state.orders.values() if order.ticket.purpose == "stop"]
    assert any("one stop for the whole position" in gone.details.reason for gone in result.told(OrderCancelled))
    assert len(result.told(OrderFilled)) > 4
    assert sum(order.ticket.qty for order in stops) == result.state.portfolio.held("ema_crossover", "BTCUSDT")
    assert len(stops) <= 3
