"""Limit, stop and stop-limit orders on the candle's path. A rising bar goes open, low, high, close."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.schemas.orders import Ticket
from shared.venues.paper import Book
from tests.venues.paper_orders import START, bar, book, buy, fills, only_fill, run, sell, submitted

RISING, FALLING = "100 104 98 102", "102 104 98 100"
FEES = {"maker_fee": "0.0005", "taker_fee": "0.001"}


def filled(order: Ticket, *prices: str, **changes: Any) -> list[tuple[Decimal, str]]:
    before = submitted(book("10", **changes), order)
    _, reports = run(before, *(bar(each, minute) for minute, each in enumerate(prices)))
    return [(fill.price, fill.liquidity) for fill in fills(reports)]


@pytest.mark.parametrize(
    ("order", "price", "liquidity"),
    [
        (buy(price="99"), "99", "maker"),
        (buy(price="98"), "98", "maker"),
        (buy(price="101"), "100", "taker"),
        (sell(price="103"), "103", "maker"),
        (sell(price="104"), "104", "maker"),
        (sell(price="99"), "100", "taker"),
    ],
)
def test_a_limit_order_fills_at_its_limit_or_better(order: Ticket, price: str, liquidity: str) -> None:
    assert filled(order, RISING) == [(Decimal(price), liquidity)]


@pytest.mark.parametrize("order", [buy(price="97.99"), sell(price="104.01")])
def test_a_limit_order_that_the_bar_does_not_touch_rests(order: Ticket) -> None:
    assert filled(order, RISING) == []


def test_a_resting_limit_order_fills_at_a_better_open_as_the_maker() -> None:
    assert filled(buy(price="97"), RISING, "95 99 94 98") == [(Decimal(95), "maker")]


def test_a_limit_order_is_never_filled_before_it_is_live() -> None:
    after_the_low: dict[str, Any] = {"paper": {"latency": "30s"}}
    assert filled(buy(price="99"), RISING, **after_the_low) == []
    assert filled(buy(price="99"), FALLING, **after_the_low) == [(Decimal(99), "maker")]


def test_a_limit_order_that_is_marketable_when_it_goes_live_takes() -> None:
    assert filled(buy(price="101.5"), RISING, paper={"latency": "30s"}) == [(Decimal(101), "taker")]


@pytest.mark.parametrize(
    ("order", "prices", "price"),
    [
        (buy(stop_price="103"), RISING, "103"),
        (buy(stop_price="99"), RISING, "100"),
        (sell(stop_price="99"), RISING, "99"),
        (sell(stop_price="99"), "97 98 96 97", "97"),
        (buy(stop_price="103"), "105 106 104 105", "105"),
    ],
    ids=["at its trigger", "beyond already", "a sell below", "gapped below", "gapped above"],
)
def test_a_stop_fills_where_the_path_first_reaches_its_trigger(order: Ticket, prices: str, price: str) -> None:
    assert filled(order, prices) == [(Decimal(price), "taker")]


def test_a_stop_slips_like_a_market_order() -> None:
    assert filled(sell(stop_price="99"), RISING, paper={"slippage": "0.01"}) == [(Decimal("98.01"), "taker")]


@pytest.mark.parametrize(
    ("order", "reference"), [(sell(stop_price="99"), "99"), (sell(price="98", stop_price="99"), "99"), (sell(), "100")]
)
def test_slippage_is_measured_from_a_stops_trigger_else_from_the_last_price(order: Ticket, reference: str) -> None:
    _, reports = run(submitted(book("10"), order), bar(FALLING))
    assert only_fill(reports).reference_price == Decimal(reference)


def test_a_stop_waits_for_its_trigger_through_many_bars() -> None:
    assert filled(sell(stop_price="90"), RISING, FALLING, RISING, "98 99 89 91") == [(Decimal(90), "taker")]


@pytest.mark.parametrize(
    ("order", "prices", "fill"),
    [
        (buy(stop_price="103", price="103.5"), [RISING], [("103", "taker")]),
        (buy(stop_price="103", price="102.5"), [RISING], [("102.5", "maker")]),
        (buy(stop_price="103", price="101"), [RISING], []),
        (buy(stop_price="103", price="101"), [RISING, FALLING], [("101", "maker")]),
        (buy(stop_price="103", price="103.5"), ["105 106 104 105"], []),
        (buy(stop_price="103", price="103.5"), ["105 106 104 105", FALLING], [("102", "maker")]),
        (buy(stop_price="105", price="101"), [RISING, "99 100 98 99"], []),
        (sell(stop_price="99", price="98.5"), [RISING], [("99", "taker")]),
        (sell(stop_price="99", price="99.5"), [RISING], [("99.5", "maker")]),
        (sell(stop_price="99", price="99"), [RISING], [("99", "taker")]),
    ],
)
def test_a_stop_limit_order_triggers_and_is_a_limit_order_from_there(
    order: Ticket, prices: list[str], fill: list[tuple[str, str]]
) -> None:
    assert filled(order, *prices) == [(Decimal(price), liquidity) for price, liquidity in fill]


def test_a_limit_order_does_not_slip() -> None:
    assert filled(buy(price="101"), RISING, paper={"slippage": "0.05"}) == [(Decimal(100), "taker")]


@pytest.mark.parametrize(("order", "fee"), [(buy(price="99"), "0.0495"), (buy(price="101"), "0.1"), (buy(), "0.1")])
def test_makers_and_takers_pay_their_own_share(order: Ticket, fee: str) -> None:
    _, reports = run(submitted(book(paper=FEES), order), bar(RISING))
    fill = only_fill(reports)
    assert (fill.fee, fill.fee_asset) == (Decimal(fee), "USDT")


def executed(before: Book, prices: str) -> list[str]:
    _, reports = run(before, bar(prices))
    return [fill.client_order_id for fill in fills(reports)]


def test_orders_fill_in_the_order_in_which_the_path_reaches_them() -> None:
    both = submitted(book("2"), sell(price="103", name="above"), sell(stop_price="99", name="below"))
    assert executed(both, RISING) == ["below", "above"]
    assert executed(both, FALLING) == ["above", "below"]


def test_orders_reached_at_once_fill_in_order_of_arrival() -> None:
    assert executed(submitted(book(), *(buy(name=name) for name in "cab")), RISING) == ["c", "a", "b"]


def test_an_order_sees_the_cash_that_an_earlier_point_of_the_path_brought() -> None:
    before = submitted(book("50"), buy("90", price="99.5"), sell("50", stop_price="98.5"))
    broke = Book(before.rules, Decimal(5000), before.holdings, before.working, before.done, before.orders)
    falls_first, _ = run(broke, bar("100 104 98 102"))
    assert falls_first.holdings["BTCUSDT"] == 0
    assert falls_first.cash == Decimal(5000) + Decimal("98.5") * 50 * Decimal("0.999")


def test_an_order_sent_within_a_bar_ignores_what_the_path_had_shown() -> None:
    waiting = submitted(book(), buy(price="99"), at=START + timedelta(seconds=25))
    assert run(waiting, bar(RISING))[1] == []
