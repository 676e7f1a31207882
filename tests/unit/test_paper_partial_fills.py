"""A share of the bar's volume bounds what can be filled."""

from decimal import Decimal as D

import pytest

from shared.schemas.orders import Fill
from shared.venues.paper import match, order
from tests.venues.paper_orders import ETH, bar, book, buy, fills, only_fill, run, sell, submitted

TENTH = {"participation": "0.1"}
QUIET = "100 101 99 100"


def figures(reports: list[Fill]) -> list[tuple[str, str, D, D]]:
    return [(fill.client_order_id, fill.status, fill.qty, fill.leaves_qty) for fill in reports]


def test_an_order_takes_its_share_of_each_bar_until_it_is_whole() -> None:
    before = submitted(book(paper=TENTH), buy("5", name="a"))
    _, reports = run(before, *(bar(QUIET, minute, volume="20") for minute in range(4)))
    assert figures(fills(reports)) == [
        ("a", "partially_filled", D(2), D(3)),
        ("a", "partially_filled", D(2), D(1)),
        ("a", "filled", D(1), D(0)),
    ]


def test_orders_of_one_symbol_share_the_bars_volume_in_order_of_arrival() -> None:
    before = submitted(book("9", paper=TENTH), buy("3", name="a"), sell("9", name="b"), buy("1", name="c"))
    _, reports = run(before, bar(QUIET, volume="50"))
    assert figures(fills(reports)) == [("a", "filled", D(3), D(0)), ("b", "partially_filled", D(2), D(7))]


def test_symbols_do_not_share_volume() -> None:
    before = submitted(book(paper=TENTH), buy("3"), buy("3", symbol=ETH))
    _, reports = match(before, [bar(QUIET, volume="30"), bar(QUIET, symbol=ETH, volume="30")])
    assert [fill.status for fill in fills(reports)] == ["filled", "filled"]


def test_a_partial_fill_is_rounded_down_to_the_lot_step_and_leaves_no_dust() -> None:
    before = submitted(book(paper=TENTH, instrument={"lot_step": "0.5"}), buy("5"))
    fill = only_fill(run(before, bar(QUIET, volume="19.9"))[1])
    assert (fill.qty, fill.leaves_qty) == (D("1.5"), D("3.5"))


@pytest.mark.parametrize("volume", ["0", "0.001"])
def test_a_bar_without_volume_fills_nothing_and_the_order_stands(volume: str) -> None:
    after, reports = run(submitted(book(paper=TENTH), buy("5", name="a")), bar(QUIET, volume=volume))
    assert (reports, list(after.working)) == ([], ["a"])


def test_without_participation_a_bar_without_volume_fills_everything() -> None:
    assert only_fill(run(submitted(book(), buy("5")), bar(QUIET, volume="0"))[1]).qty == 5


def test_the_rest_of_a_marketable_limit_order_rests_and_makes() -> None:
    before = submitted(book(paper=TENTH), buy("3", price="100"))
    _, reports = run(before, bar(QUIET, volume="20"), bar("100.5 101 99 100", 1, volume="20"))
    assert [(fill.price, fill.liquidity) for fill in fills(reports)] == [(D(100), "taker"), (D(100), "maker")]


def test_the_rest_of_a_triggered_stop_fills_at_the_next_open() -> None:
    before = submitted(book("3", paper=TENTH), sell("3", stop_price="99.5"))
    _, reports = run(before, bar(QUIET, volume="20"), bar("103 104 102 103", 1, volume="20"))
    assert [(fill.price, fill.qty) for fill in fills(reports)] == [(D("99.5"), D(2)), (D(103), D(1))]


def test_a_partly_filled_order_shows_so_and_reserves_only_its_rest() -> None:
    before = submitted(book("4", paper=TENTH), sell("3", name="a"))
    after, _ = run(before, bar(QUIET, volume="20"))
    state = order(after, "a")
    assert state is not None
    assert (state.status, state.filled_qty) == ("partially_filled", D(2))
    submitted(after, sell("1"))
