"""A venue's statement held against the session's own books."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from services.runner.core.evolve import evolve
from services.runner.core.order import Order
from services.runner.core.plan import plan
from services.runner.core.reconcile import SURE, compared, in_words
from services.runner.core.state import State, initial
from services.runner.core.understanding import understood
from shared.schemas.guard import Resumption, TradingResumed
from shared.schemas.orders import AccountReconciled, OrderCancelled, OrderFilled, OrderReconciled, Reason
from shared.schemas.values import STACK, Side
from shared.venues.port import Filled, Reconciled
from shared.venues.statement import Execution, Listed, Statement
from shared.venues.words import Executed, Shown, WorkedStill
from tests.rehearsal import session
from tests.venues.paper_events import recorded
from tests.venues.paper_orders import START, ticket

LIVE = session(feed="binance", venue="binance", symbols=("BTCUSDT",))
ORDER = ticket("2", name="lt-a")
QUIET = Statement(START, START, (), (), {"BTC": Decimal(1), "USDT": Decimal(1000)})


def account() -> State:
    state = initial(plan(STACK, LIVE))
    before = {"BTC": Decimal(1), "USDT": Decimal(1000)}
    return state._replace(dealt=state.dealt._replace(before=before))


def with_order(state: State) -> State:
    return state._replace(orders={"lt-a": Order(ORDER, "working", "intent", "decision")})


def executed(trade_id: str, qty: str, name: str = "lt-a") -> Executed:
    return Executed(name, trade_id, Decimal(qty), Decimal(100), Decimal("0.001"), "BTC", "taker")


def filled(state: State, word: Executed) -> State:
    report = understood(state, word)
    assert isinstance(report, Filled)
    return evolve(state, recorded(OrderFilled, START, order=report.fill))


def cancelled(state: State) -> State:
    gone = state.orders["lt-a"].shown("cancelled")
    return evolve(state, recorded(OrderCancelled, START, order=gone, details=Reason(reason="asked for")))


def told(state: State, statement: Statement) -> tuple[State, AccountReconciled]:
    fact = recorded(AccountReconciled, START, status="pass", details=compared(state, statement))
    return evolve(state, fact), fact


def test_a_venue_that_shows_what_our_fills_make_of_the_account_agrees() -> None:
    state = filled(with_order(account()), executed("t1", "2"))
    trade = Execution("BTCUSDT", Side.BUY, START, executed("t1", "2"))
    shown = replace(QUIET, executions=(trade,), balances={"BTC": Decimal("2.999"), "USDT": Decimal(800)})
    found = compared(state, shown)
    assert (found.differences, in_words(found)) == ((), "the venue's books are ours")


def test_what_nothing_explains_is_a_difference_with_both_sides_and_counts_once_it_was_seen_several_times() -> None:
    state, short = account(), replace(QUIET, balances={"BTC": Decimal(1), "USDT": Decimal(990)})
    confirmed = []
    for _ in range(SURE):
        state, fact = told(state, short)
        confirmed.append(fact.details.confirmed)
    assert confirmed == [False] * (SURE - 1) + [True]
    assert in_words(fact.details) == "USDT: ours 1000, the venue's 990"


def test_a_difference_that_goes_away_was_a_read_that_lagged() -> None:
    state, _ = told(account(), replace(QUIET, balances={"BTC": Decimal(1), "USDT": Decimal(990)}))
    state, _ = told(state, QUIET)
    assert (state.dealt.suspected, state.dealt.seen) == ((), 0)


def test_what_an_operator_lets_pass_is_no_difference_any_more() -> None:
    short = replace(QUIET, balances={"BTC": Decimal(1), "USDT": Decimal(990)})
    state, _ = told(account(), short)
    word = Resumption(reason="I took it out", operator="me")
    state = evolve(state, recorded(TradingResumed, START, details=word))
    assert compared(state, short).differences == ()


def test_while_an_order_is_on_its_way_nothing_is_judged() -> None:
    state = with_order(account())
    state = state._replace(orders={"lt-a": state.orders["lt-a"]._replace(stage="unknown")})
    found = compared(state, replace(QUIET, balances={"BTC": Decimal(9), "USDT": Decimal(9)}))
    assert (found.judged, found.differences) == (False, ())


def test_trades_of_others_explain_what_they_changed_and_are_told_once() -> None:
    theirs = Execution("BTCUSDT", Side.SELL, START, executed("t9", "0.5", "web_1"))
    shown = replace(QUIET, executions=(theirs,), balances={"BTC": Decimal("0.499"), "USDT": Decimal(1050)})
    state, fact = told(account(), shown)
    assert (fact.details.foreign_trades, fact.details.differences) == (("BTCUSDT:t9",), ())
    _, again = told(state, shown)
    assert (again.details.foreign_trades, again.details.differences) == ((), ())


def test_orders_of_others_are_told_once() -> None:
    shown = replace(QUIET, open_orders=(Listed("web_1", "BTCUSDT"), Listed("lt-a", "BTCUSDT")))
    state, fact = told(with_order(account()), shown)
    assert fact.details.foreign_orders == ("web_1",)
    assert compared(state, shown).foreign_orders == ()


def test_an_execution_of_an_order_that_was_taken_for_gone_is_told_once() -> None:
    state = cancelled(with_order(account()))
    state = filled(state, executed("t1", "0.5"))
    assert state.portfolio.held(ORDER.strategy, ORDER.symbol) == Decimal("0.499")
    assert understood(state, executed("t1", "0.5")) is None


def test_an_order_that_the_venue_works_still_comes_back() -> None:
    state = cancelled(with_order(account()))
    assert understood(state, Shown("lt-a", "77", "working", Decimal(0))) is None
    report = understood(state, WorkedStill("lt-a", "77"))
    assert isinstance(report, Reconciled)
    back = evolve(state, recorded(OrderReconciled, START, order=report.order, details=Reason(reason=report.reason)))
    assert (back.orders["lt-a"].stage, back.orders["lt-a"].revived) == ("working", 1)


def test_an_order_whose_executions_fill_it_does_not_come_back_for_a_read_that_lagged() -> None:
    state = filled(with_order(account()), executed("t1", "2"))
    assert understood(state, WorkedStill("lt-a", "77")) is None


def test_what_was_told_long_ago_is_not_kept_in_mind() -> None:
    state = filled(with_order(account()), executed("t1", "2"))
    later = START + timedelta(hours=1)
    state, _ = told(state, replace(QUIET, since=later, at=later, balances=None))
    assert state.dealt.trades == {}


def test_the_last_execution_of_an_order_is_told_once_even_after_a_clock_that_was_far_ahead() -> None:
    state = filled(with_order(account()), executed("t1", "2"))
    state, _ = told(state, replace(QUIET, at=START + timedelta(hours=1), balances=None))
    state, _ = told(state, replace(QUIET, balances=None))
    assert understood(state, executed("t1", "2")) is None


def test_trades_of_others_are_not_told_again_by_a_clock_that_was_set_back() -> None:
    theirs = Execution("BTCUSDT", Side.SELL, START, executed("t9", "0.5", "web_1"))
    state, _ = told(account(), replace(QUIET, executions=(theirs,), balances=None))
    late = START + timedelta(hours=1)
    state, _ = told(state, replace(QUIET, at=late, balances=None))
    state, _ = told(state, replace(QUIET, balances=None))
    assert state.dealt.agreed_at == late
