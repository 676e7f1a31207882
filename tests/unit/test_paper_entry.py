"""What the simulated exchange takes on, what it rejects, and how orders are taken back."""

from decimal import Decimal

import pytest

from shared.schemas.orders import Ticket
from shared.schemas.values import OrderType
from shared.venues.paper import account, cancel, opened, order, submit
from shared.venues.port import Accepted, Cancelled
from tests.venues.paper_orders import START, bar, book, buy, rejection, run, sell, session, submitted

RULES = {"tick_size": "0.05", "lot_step": "0.01", "min_qty": "0.1", "min_notional": "20"}


def test_accepts_an_order_that_keeps_every_rule() -> None:
    _, reports = submit(book(instrument=RULES), buy("0.25", price="99.95", name="a"), START)
    (report,) = reports
    assert isinstance(report, Accepted)
    assert (report.order.status, report.order.venue_order_id) == ("accepted", "paper-1")


@pytest.mark.parametrize(
    ("refused", "word"),
    [
        (buy("1", symbol="DOGEUSDT"), "unknown symbol DOGEUSDT"),
        (buy("0"), "quantity is zero"),
        (buy("0.255"), "lot step 0.01"),
        (buy("0.05"), "minimum of 0.1"),
        (buy("0.25", price="99.99"), "tick size 0.05"),
        (buy("0.25", stop_price="99.99"), "tick size 0.05"),
        (buy("0.11"), "notional 11.00 is below the minimum of 20"),
        (buy("1", type=OrderType.LIMIT), "limit order needs a price"),
        (buy("1", type=OrderType.STOP), "stop order needs a stop price"),
        (buy("1", reduce_only=True), "no short positions"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rejects_an_order_that_breaks_a_rule_and_names_it(refused: Ticket, word: str) -> None:
    assert word in rejection(book(instrument=RULES), refused)


def test_a_rule_of_zero_is_off() -> None:
    off = {"tick_size": "0", "lot_step": "0"}
    _, (report,) = submit(book(instrument=off), buy("0.123456789", price="99.123456"), START)
    assert isinstance(report, Accepted)


def test_rejects_a_name_that_is_working() -> None:
    assert "duplicate" in rejection(submitted(book(), buy(name="a")), buy(name="a"))


def test_rejects_a_name_that_is_done() -> None:
    after, _ = run(submitted(book(), buy(name="a")), bar("100 101 99 100"))
    assert "duplicate" in rejection(after, buy(name="a"))


def test_a_duplicate_leaves_the_first_order_as_it_was() -> None:
    before = submitted(book(), buy(name="a", price="90"))
    after, _ = submit(before, buy("2", name="a"), START)
    assert order(after, "a") == order(before, "a")


def test_a_rejected_order_can_be_asked_for() -> None:
    after, _ = submit(book(), sell("1", name="a"), START)
    state = order(after, "a")
    assert state is not None
    assert state.status == "rejected"


def test_rejects_a_sale_of_more_than_is_held() -> None:
    assert "insufficient balance" in rejection(book("1"), sell("1.001"))


def test_rejects_a_second_sale_of_what_a_working_one_has_reserved() -> None:
    before = submitted(book("1"), sell("0.6", stop_price="90"))
    assert "0.4 of it free" in rejection(before, sell("0.5"))
    submitted(before, sell("0.4"))


def test_sells_what_a_cancelled_stop_had_reserved() -> None:
    before = submitted(book("1"), sell("1", stop_price="90", name="stop"))
    before, _ = cancel(before, "stop", START, "exit")
    submitted(before, sell("1"))


def test_rejects_a_purchase_that_the_cash_does_not_cover_with_its_fee() -> None:
    assert "10010.0" in rejection(book(), buy("100"))
    submitted(book(), buy("99.9"))


def test_rejects_a_purchase_with_cash_that_a_working_one_needs() -> None:
    before = submitted(book(), buy("60", price="90"))
    assert "insufficient balance" in rejection(before, buy("46"))
    submitted(before, buy("45"))


def test_counts_on_the_proceeds_of_a_market_sale_that_is_on_its_way() -> None:
    before = submitted(book("50"), sell("50"))
    submitted(before, buy("145"))


def test_does_not_count_on_the_proceeds_of_a_resting_sale() -> None:
    before = submitted(book("50"), sell("50", price="101"))
    assert "insufficient balance" in rejection(before, buy("145"))


def test_cancels_a_working_order_at_once() -> None:
    before = submitted(book(), buy(name="a", price="90"))
    after, (report,) = cancel(before, "a", START, "too late")
    assert isinstance(report, Cancelled)
    assert (report.order.status, report.reason) == ("cancelled", "too late")
    assert after.working == {}


def test_cancelling_an_order_that_is_gone_reports_nothing() -> None:
    after, _ = run(submitted(book(), buy(name="a")), bar("100 101 99 100"))
    assert cancel(after, "a", START, "again") == (after, ())
    assert cancel(after, "never-seen", START, "again") == (after, ())


def test_shows_open_orders_in_order_of_arrival_and_holdings_above_zero() -> None:
    before = submitted(book("2"), sell("1", name="b", price="120"), sell("1", name="a", price="110"))
    assert account(before).open_orders == ("b", "a")
    assert [(held.symbol, held.qty) for held in account(before).holdings] == [("BTCUSDT", Decimal(2))]
    sold_out, _ = run(before, bar("130 130 130 130"))
    assert account(sold_out).holdings == ()


def test_does_not_know_an_order_that_never_came() -> None:
    assert order(book(), "never-seen") is None


def test_refuses_to_open_where_slippage_could_take_the_whole_price() -> None:
    with pytest.raises(ValueError, match=r"paper\.slippage"):
        opened(session(paper={"slippage": "0.6", "slippage_jitter": "0.4"}))
