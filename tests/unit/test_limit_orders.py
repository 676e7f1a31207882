"""Each limit on single orders, at its bound and beyond."""

from datetime import timedelta
from typing import Any

import pytest

from shared.schemas.orders import OrderRefused
from shared.schemas.values import OrderType, Side
from tests.guard_story import Guarded, Story, config, exit_ticket, ticket, trading


def test_risk_per_trade_is_the_way_to_the_protective_stop() -> None:
    guarded = trading(max_risk_per_trade="0.01")
    assert guarded.refuses(ticket("a", qty="10", protective_stop="90")) is None
    assert guarded.refuses(ticket("b", qty="10", protective_stop="89.99")) == "max_risk_per_trade"


@pytest.mark.parametrize("stop", [None, "100", "101"])
def test_without_a_stop_that_protects_everything_is_at_risk(stop: str | None) -> None:
    guarded = trading(max_risk_per_trade="0.01")
    assert guarded.refuses(ticket("a", qty="1.00001", protective_stop=stop)) == "max_risk_per_trade"
    assert guarded.refuses(ticket("b", qty="1", protective_stop=stop)) is None


def test_position_size_counts_what_is_held_and_what_is_approved() -> None:
    guarded = trading(max_position_size="0.03")
    guarded.buy(ticket("held"))
    assert guarded.refuses(ticket("approved")) is None
    assert guarded.refuses(ticket("full", qty="1.01")) == "max_position_size"
    assert guarded.refuses(ticket("fits")) is None


def test_position_size_is_of_one_symbol_and_exposure_of_all() -> None:
    guarded = trading(symbols=("BTCUSDT", "ETHUSDT"), max_position_size="0.02", max_open_exposure="0.03")
    guarded.buy(ticket("a", qty="2"))
    assert guarded.refuses(ticket("b", qty="0.01")) == "max_position_size"
    assert guarded.refuses(ticket("c", symbol="ETHUSDT", qty="1.01")) == "max_open_exposure"
    assert guarded.refuses(ticket("d", symbol="ETHUSDT", qty="1")) is None


def test_a_cancelled_order_frees_its_exposure() -> None:
    guarded = trading(max_open_exposure="0.01")
    order = ticket("a")
    assert guarded.refuses(order) is None
    assert guarded.refuses(ticket("b")) == "max_open_exposure"
    guarded.hear(guarded.story.cancel(order))
    assert guarded.refuses(ticket("c")) is None


def test_values_an_order_at_the_highest_price_in_sight() -> None:
    guarded = trading(max_open_exposure="0.01")
    assert guarded.refuses(ticket("a", reference_price="50", qty="1.5")) == "max_open_exposure"
    assert guarded.refuses(ticket("b", type=OrderType.LIMIT, price="101")) == "max_open_exposure"


def test_only_listed_order_types_pass() -> None:
    guarded = trading(allowed_order_types=["limit"])
    assert guarded.refuses(ticket("a")) == "allowed_order_types"
    assert guarded.refuses(ticket("b", type=OrderType.LIMIT, price="100")) is None


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"reference_price": "101"}, None),
        ({"reference_price": "101.01"}, "max_slippage"),
        ({"reference_price": "90"}, None),
        ({"type": OrderType.LIMIT, "price": "102"}, "max_slippage"),
        ({"type": OrderType.LIMIT, "price": "80"}, None),
        ({"type": OrderType.STOP, "stop_price": "102"}, "max_slippage"),
    ],
)
def test_an_order_may_not_pay_far_more_than_the_guards_own_last_price(given: dict[str, Any], rule: str | None) -> None:
    assert trading(max_slippage="0.01").refuses(ticket(**given)) == rule


def test_a_sell_may_not_go_far_below_the_last_price() -> None:
    guarded = trading(max_slippage="0.01")
    guarded.buy(ticket("a"))
    sell = {"side": Side.SELL, "type": OrderType.LIMIT, "purpose": "rebalance"}
    assert guarded.refuses(ticket("b", price="98", **sell)) == "max_slippage"
    assert guarded.refuses(ticket("c", price="99", **sell)) is None


def test_open_orders_count_from_their_approval_until_they_end() -> None:
    guarded = trading(max_open_orders=1)
    order = ticket("a")
    assert guarded.refuses(order) is None
    assert guarded.refuses(ticket("b")) == "max_open_orders"
    guarded.hear(guarded.story.fill(order, qty="0.5"))
    assert guarded.refuses(ticket("c")) == "max_open_orders"
    guarded.hear(guarded.story.fill(order, qty="0.5", leaves_qty=order.qty * 0, status="filled"))
    assert guarded.refuses(ticket("d")) is None


def test_orders_a_minute_slide_with_market_time() -> None:
    guarded = trading(max_orders_per_minute=2)
    story = guarded.story
    assert [guarded.refuses(ticket(name)) for name in "abc"] == [None, None, "max_orders_per_minute"]
    story.now += timedelta(seconds=59)
    assert guarded.refuses(ticket("d")) == "max_orders_per_minute"
    story.now += timedelta(seconds=1)
    assert guarded.refuses(ticket("e")) is None


def test_no_order_on_old_prices() -> None:
    guarded = trading(max_data_age="5m")
    guarded.story.now += timedelta(minutes=5)
    assert guarded.refuses(ticket("a")) is None
    guarded.story.now += timedelta(microseconds=1)
    assert guarded.refuses(ticket("b")) == "max_data_age"


@pytest.mark.parametrize(("limit", "bound"), [("max_data_age", "5m"), ("max_slippage", "0.01")])
def test_no_order_before_the_first_candle_of_its_symbol(limit: str, bound: str) -> None:
    only: dict[str, Any] = {limit: bound}
    story = Story(config(**only))
    guarded = Guarded(story)
    guarded.hear(story.start())
    assert guarded.refuses(ticket()) == limit


def test_a_refusal_names_rule_limit_and_what_was_seen() -> None:
    verdict = trading(max_open_exposure="0.5").judge(ticket(qty="60"))
    assert isinstance(verdict, OrderRefused)
    assert (verdict.details.rule, verdict.details.limit, verdict.details.observed) == (
        "max_open_exposure",
        "0.5",
        "0.6",
    )
    assert verdict.message == "buy 60 BTCUSDT refused by max_open_exposure: allowed 0.5, seen 0.6"


def test_a_limit_that_is_off_refuses_nothing() -> None:
    guarded = trading()
    guarded.story.now += timedelta(days=30)
    assert guarded.refuses(ticket(qty="1000000", reference_price="1000")) is None


def test_what_reduces_a_position_is_free_of_every_limit() -> None:
    guarded = trading(max_open_orders=1, max_orders_per_minute=1, max_data_age="1m", allowed_order_types=["market"])
    guarded.buy(ticket("a"))
    guarded.story.now += timedelta(hours=1)
    assert guarded.refuses(exit_ticket(type=OrderType.STOP, stop_price="50", purpose="stop")) is None


def test_reduce_only_may_not_exceed_what_its_strategy_holds() -> None:
    guarded = trading()
    assert guarded.refuses(exit_ticket("early")) == "reduce_only"
    guarded.buy(ticket("a"))
    assert guarded.refuses(exit_ticket("too-much", qty="1.01")) == "reduce_only"
    assert guarded.refuses(exit_ticket("others", strategy="another")) == "reduce_only"
    assert guarded.refuses(exit_ticket("buying", side=Side.BUY)) == "reduce_only"
    assert guarded.refuses(exit_ticket("right")) is None


def test_a_stop_claims_its_units_until_it_is_cancelled() -> None:
    guarded = trading()
    guarded.buy(ticket("a"))
    stop = exit_ticket("stop", type=OrderType.STOP, stop_price="95", purpose="stop")
    assert guarded.refuses(stop) is None
    assert guarded.refuses(exit_ticket("early")) == "reduce_only"
    guarded.hear(guarded.story.cancel(stop))
    assert guarded.refuses(exit_ticket("exit")) is None


def test_a_list_claims_its_units_once_and_its_take_profit_lies_above_its_stop() -> None:
    guarded = trading()
    guarded.buy(ticket("a"))
    stop = {"type": OrderType.STOP, "stop_price": "95", "purpose": "stop"}
    assert guarded.refuses(exit_ticket("crossed", **stop, take_profit="95")) == "reduce_only"
    assert guarded.refuses(exit_ticket("both", **stop, take_profit="110")) is None
    assert guarded.refuses(exit_ticket("early")) == "reduce_only"


def test_nothing_is_sold_short() -> None:
    guarded = trading()
    sell = {"side": Side.SELL, "purpose": "rebalance"}
    assert guarded.refuses(ticket("a", **sell)) == "long_only"
    guarded.buy(ticket("b"))
    assert guarded.refuses(ticket("c", **sell)) is None
