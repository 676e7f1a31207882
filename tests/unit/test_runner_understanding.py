"""What the runner makes of a real venue's words: in any order, and each once."""

from decimal import Decimal

from services.runner.core.evolve import evolve
from services.runner.core.order import Order, Stage
from services.runner.core.plan import plan
from services.runner.core.state import State, initial
from services.runner.core.todo import settled
from services.runner.core.understanding import understood
from shared.domain.portfolio import ZERO
from shared.schemas.market import CandleClosed
from shared.schemas.orders import OrderFilled, OrderReconciled, OrderUnknown
from shared.schemas.values import STACK
from shared.venues.port import Accepted, Cancelled, Filled, Reconciled, Rejected, Unclear
from shared.venues.words import Absent, Doubtful, Executed, Shown, Standing
from tests.rehearsal import session
from tests.venues.paper_events import recorded
from tests.venues.paper_orders import START, bar, ticket

ORDER = ticket("2", name="a")


def with_order(stage: Stage) -> State:
    return initial(plan(STACK, session()))._replace(orders={"a": Order(ORDER, stage, "intent", "decision")})


def executed(trade_id: str, qty: str) -> Executed:
    return Executed("a", trade_id, Decimal(qty), Decimal(100), Decimal("0.001"), "BTC", "taker")


def shown(standing: Standing, filled: str = "0") -> Shown:
    return Shown("a", "77", standing, Decimal(filled))


def after(state: State, trade_id: str, qty: str) -> State:
    report = understood(state, executed(trade_id, qty))
    assert isinstance(report, Filled)
    return evolve(state, recorded(OrderFilled, START, order=report.fill))


def test_an_order_that_the_venue_works_is_accepted_once() -> None:
    report = understood(with_order("submitted"), shown("working"))
    assert isinstance(report, Accepted)
    assert report.order.venue_order_id == "77"
    assert understood(with_order("working"), shown("working")) is None


def test_an_execution_is_told_once_however_often_it_comes() -> None:
    state = after(with_order("working"), "t1", "0.5")
    assert understood(state, executed("t1", "0.5")) is None
    assert state.orders["a"].filled_qty == Decimal("0.5")


def test_executions_that_come_before_the_answer_fill_the_order_all_the_same() -> None:
    state = after(after(with_order("submitted"), "t2", "1.5"), "t1", "0.5")
    assert state.orders == {}
    assert understood(state, shown("working")) is None


def test_a_fee_in_any_asset_is_passed_on() -> None:
    report = understood(with_order("working"), Executed("a", "t", Decimal(2), Decimal(9), Decimal(1), "BNB", "maker"))
    assert isinstance(report, Filled)
    assert (report.fill.fee, report.fill.fee_asset, report.fill.status) == (Decimal(1), "BNB", "filled")


def test_an_end_waits_for_the_fills_that_the_venue_counts_in_it() -> None:
    state = with_order("working")
    assert understood(state, shown("expired", "0.5")) is None
    ended = understood(after(state, "t1", "0.5"), shown("expired", "0.5"))
    assert isinstance(ended, Cancelled)
    assert (ended.order.status, ended.order.filled_qty) == ("expired", Decimal("0.5"))


def test_a_refusal_is_a_rejection_with_the_venues_reason() -> None:
    report = understood(with_order("submitted"), Shown("a", None, "rejected", ZERO, "LOT_SIZE"))
    assert isinstance(report, Rejected)
    assert report.reason == "LOT_SIZE"


def test_an_order_in_doubt_blocks_no_session_and_is_settled_by_evidence_alone() -> None:
    report = understood(with_order("submitted"), Doubtful("a", "no answer"))
    assert isinstance(report, Unclear)
    doubted = recorded(OrderUnknown, START, order=report.order, details={"reason": report.reason})
    state = evolve(with_order("submitted"), doubted)
    assert state.orders["a"].stage == "unknown"
    assert settled(state._replace(enabled=True))
    found = understood(state, shown("working"))
    assert isinstance(found, Reconciled)
    settling = recorded(OrderReconciled, START, order=found.order, details={"reason": found.reason})
    assert evolve(state, settling).orders["a"].stage == "working"


def test_an_order_that_never_arrived_is_gone_and_not_tried_again_in_its_slice() -> None:
    report = understood(with_order("unknown"), Absent("a", "three answers"))
    assert isinstance(report, Reconciled)
    settling = recorded(OrderReconciled, START, order=report.order, details={"reason": report.reason})
    state = evolve(with_order("unknown"), settling)
    assert state.orders == {}
    assert state.blocked == {(ORDER.strategy, ORDER.symbol)}


def test_on_a_live_market_what_was_refused_waits_for_a_candle_of_its_own_symbol() -> None:
    live = session(feed="alpaca", venue="alpaca", quote="USD", symbols=("AAPL", "BTC/USD"))
    key, other = (ORDER.strategy, "AAPL"), (ORDER.strategy, "BTC/USD")
    state = initial(plan(STACK, live))._replace(blocked=frozenset({key, other}))
    night = evolve(state, recorded(CandleClosed, START, details=bar("1 1 1 1", 0, "BTC/USD"), phase="api_phase"))
    assert night.blocked == {key}
    opening = evolve(night, recorded(CandleClosed, START, details=bar("1 1 1 1", 1, "AAPL"), phase="api_phase"))
    assert opening.blocked == frozenset()


def test_words_about_orders_that_are_not_ours_mean_nothing() -> None:
    state = initial(plan(STACK, session()))
    words = (shown("working"), executed("t", "1"), Doubtful("a", ""), Absent("a", ""))
    assert [understood(state, word) for word in words] == [None] * 4
