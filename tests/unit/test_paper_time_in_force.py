"""How long orders stand: good till cancelled, immediate or cancel, fill or kill, for the day."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from shared.schemas.orders import Ticket
from shared.venues.paper import order
from tests.venues.paper_orders import DAY, FOK, IOC, START, bar, book, buy, cancellations, fills, run, sell, submitted

QUIET = "100 101 99 100"
HALF_A_TENTH = {"participation": "0.05"}
UNTIL_MIDNIGHT = timedelta(hours=14, minutes=30) // timedelta(minutes=1)


@pytest.mark.parametrize("tif", [IOC, FOK])
def test_an_immediate_order_that_is_not_marketable_is_cancelled(tif: object) -> None:
    after, reports = run(submitted(book(), buy(price="99.5", time_in_force=tif)), bar(QUIET))
    assert (fills(reports), len(cancellations(reports)), after.working) == ([], 1, {})


def test_an_immediate_order_keeps_what_it_got_and_loses_the_rest() -> None:
    before = submitted(book(paper=HALF_A_TENTH), buy("3", time_in_force=IOC, name="a"))
    after, reports = run(before, bar(QUIET, volume="20"))
    assert [(fill.qty, fill.status, fill.leaves_qty) for fill in fills(reports)] == [(D(1), "partially_filled", D(2))]
    state = order(after, "a")
    assert state is not None
    assert (state.status, state.filled_qty) == ("cancelled", D(1))


def test_an_order_to_fill_or_kill_takes_nothing_where_it_cannot_have_all() -> None:
    before = submitted(book(paper=HALF_A_TENTH), buy("3", time_in_force=FOK))
    after, reports = run(before, bar(QUIET, volume="59"))
    assert (fills(reports), len(cancellations(reports)), after.holdings) == ([], 1, {})


def test_an_order_to_fill_or_kill_takes_all_where_it_can() -> None:
    before = submitted(book(paper=HALF_A_TENTH), buy("3", time_in_force=FOK))
    assert [fill.qty for fill in fills(run(before, bar(QUIET, volume="60"))[1])] == [3]


def test_an_immediate_order_waits_for_the_bar_in_which_it_goes_live() -> None:
    before = submitted(book(paper={"latency": "90s"}), buy(time_in_force=IOC))
    untouched, reports = run(before, bar(QUIET))
    assert (untouched, reports) == (before, [])
    assert len(fills(run(untouched, bar(QUIET, 1))[1])) == 1


@pytest.mark.parametrize("tif", [IOC, FOK])
def test_an_immediate_stop_is_immediate_once_triggered(tif: object) -> None:
    before = submitted(book("1"), sell(stop_price="95", price="96", time_in_force=tif))
    waiting, reports = run(before, bar(QUIET))
    assert reports == []
    _, reports = run(waiting, bar("96 96.5 94 95.5", 1))
    assert len(cancellations(reports)) == 1


def test_a_day_order_expires_at_midnight() -> None:
    before = submitted(book(), buy(price="90", time_in_force=DAY, name="a"))
    waiting, reports = run(before, bar(QUIET), bar(QUIET, UNTIL_MIDNIGHT - 2))
    assert reports == []
    after, reports = run(waiting, bar(QUIET, UNTIL_MIDNIGHT - 1))
    assert cancellations(reports) == [("a", "the day is over")]
    state = order(after, "a")
    assert state is not None
    assert state.status == "expired"


def test_the_day_ends_in_the_schedules_time_zone() -> None:
    before = submitted(book(schedule={"time_zone": "Europe/Berlin"}), buy(price="90", time_in_force=DAY, name="a"))
    _, reports = run(before, bar(QUIET), bar(QUIET, UNTIL_MIDNIGHT - 61))
    assert len(cancellations(reports)) == 1


def test_a_day_order_sent_after_the_close_is_for_the_next_day_of_trading() -> None:
    before = submitted(book(), buy(price="90", time_in_force=DAY))
    monday = 3 * 24 * 60
    assert len(fills(run(before, bar("91 92 89 91", monday))[1])) == 1


def test_a_bar_after_the_day_does_not_fill_a_day_order() -> None:
    before = submitted(book(), buy(price="90", time_in_force=DAY))
    _, reports = run(before, bar(QUIET), bar("80 81 79 80", 24 * 60))
    assert (fills(reports), len(cancellations(reports))) == ([], 1)


@pytest.mark.parametrize(("order", "filled"), [(buy(price="99"), 1), (sell(price="103"), 0)])
def test_a_bar_across_midnight_fills_a_day_order_only_before_it(order: Ticket, filled: int) -> None:
    """The path is at 100, 98, 104, 102 at 23:30, 23:50, 00:10 and 00:30."""
    day_order = order.model_copy(update={"time_in_force": DAY})
    across = bar("100 104 98 102", UNTIL_MIDNIGHT - 30, length=timedelta(hours=1))
    _, reports = run(submitted(book("1"), day_order, at=START), across)
    assert len(fills(reports)) == filled


def test_an_order_good_till_cancelled_stands_for_days() -> None:
    after, reports = run(submitted(book(), buy(price="90")), *(bar(QUIET, day * 24 * 60) for day in range(4)))
    assert (reports, len(after.working)) == ([], 1)
