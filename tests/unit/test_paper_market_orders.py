"""When and at which price market orders fill."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D

import pytest

from shared.schemas.orders import Ticket
from shared.venues.paper import match, order
from tests.venues.paper_orders import (
    ETH,
    MINUTE,
    START,
    bar,
    book,
    buy,
    cancellations,
    fills,
    only_fill,
    run,
    sell,
    submitted,
)

RISING, FALLING = "100 104 98 102", "102 104 98 100"


def test_fills_at_the_next_bars_open() -> None:
    after, reports = run(submitted(book(), buy("2", name="a")), bar("101 103 99 102"))
    fill = only_fill(reports)
    assert (fill.price, fill.qty, fill.leaves_qty, fill.status) == (D(101), D(2), D(0), "filled")
    assert (after.cash, after.holdings) == (D(10000) - 202 - D("0.202"), {"BTCUSDT": D(2)})


def test_takes_the_open_as_it_is_even_off_the_tick() -> None:
    _, reports = run(submitted(book(), buy("1")), bar("100.123456 101 99 100"))
    assert only_fill(reports).price == D("100.123456")


def test_never_fills_on_the_bar_that_was_decided_on() -> None:
    waiting = submitted(book(), buy(), at=START + MINUTE)
    assert run(waiting, bar("100 101 99 100", minute=0)) == (waiting, [])


def test_only_the_bars_of_its_own_symbol_fill_it() -> None:
    waiting = submitted(book(), buy())
    assert run(waiting, bar("100 101 99 100", symbol=ETH)) == (waiting, [])


@pytest.mark.parametrize(
    ("prices", "latency", "price"),
    [(RISING, "20s", "98"), (RISING, "30s", "101"), (RISING, "50s", "103"), (FALLING, "10s", "103")],
)
def test_latency_within_the_bar_fills_at_the_paths_price_there(prices: str, latency: str, price: str) -> None:
    _, reports = run(submitted(book(paper={"latency": latency}), buy()), bar(prices))
    assert only_fill(reports).price == D(price)


@pytest.mark.parametrize(("side", "price"), [(buy, "100.71"), (sell, "100.70")])
def test_a_price_between_the_candles_own_is_rounded_to_the_tick_against_the_order(
    side: Callable[[str], Ticket], price: str
) -> None:
    late = submitted(book("1", paper={"latency": "29s"}), side("1"))
    _, reports = run(late, bar("100 104.01 98 102"))
    assert only_fill(reports).price == D(price)


@pytest.mark.parametrize(("latency", "price"), [("60s", "200"), ("90s", "201"), ("2m", "300")])
def test_latency_of_a_bar_or_more_moves_the_fill_to_a_later_bar(latency: str, price: str) -> None:
    bars = [bar("100 104 98 102", 0), bar("200 204 198 202", 1), bar("300 304 298 302", 2)]
    _, reports = run(submitted(book(paper={"latency": latency}), buy()), *bars)
    assert only_fill(reports).price == D(price)


def test_fills_at_the_open_after_a_gap_in_the_market() -> None:
    _, reports = run(submitted(book(paper={"latency": "5s"}), buy()), bar("120 121 119 120", minute=600))
    assert only_fill(reports).price == 120


def test_an_order_sent_within_a_bar_takes_the_path_from_there() -> None:
    waiting = submitted(book(), buy(), at=START + timedelta(seconds=20))
    _, reports = run(waiting, bar(RISING))
    assert only_fill(reports).price == 98


def test_cancels_a_purchase_that_the_cash_no_longer_covers() -> None:
    after, reports = run(submitted(book(), buy("99", name="a")), bar("110 111 109 110"))
    assert cancellations(reports) == [("a", "insufficient balance")]
    assert after == book()._replace(done=after.done, orders=1)


def test_a_sale_pays_for_a_purchase_that_fills_after_it() -> None:
    both = submitted(book("50"), sell("50", name="s"), buy("145", name="b"))
    after, reports = run(both, bar("100 101 99 100"))
    assert [fill.client_order_id for fill in fills(reports)] == ["s", "b"]
    assert after.cash == D(10000) + 5000 - 14500 - D("19.5")


def test_fills_all_symbols_of_a_slice() -> None:
    both = submitted(book(), buy("1"), buy("1", symbol=ETH))
    after, _ = match(both, [bar("100 101 99 100"), bar("10 11 9 10", symbol=ETH)])
    assert after.holdings == {"BTCUSDT": D(1), ETH: D(1)}


def test_trades_are_numbered_through_and_keep_the_price_that_was_decided_on() -> None:
    both = submitted(book(), buy("1"), buy("1"))
    _, reports = run(both, bar("101 101 99 100"))
    assert [(fill.trade_id, fill.reference_price) for fill in fills(reports)] == [("p-1", D(100)), ("p-2", D(100))]


def test_a_filled_order_can_be_asked_for() -> None:
    after, _ = run(submitted(book(), buy("2", name="a")), bar("101 103 99 102"))
    state = order(after, "a")
    assert state is not None
    assert (state.status, state.filled_qty) == ("filled", D(2))


def test_a_slice_passes_over_an_idle_book_without_a_trace() -> None:
    idle = book("1")
    assert match(idle, [bar("100 101 99 100")])[0] is idle
