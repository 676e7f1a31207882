"""A guard that is silent: nothing new is risked, and what only reduces a position goes without its word."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.runner.core.causes import cause_of
from services.runner.core.decide import handle
from services.runner.core.inputs import (
    GuardHeard,
    GuardSilent,
    GuardSpoke,
    Input,
    KillHeard,
    SliceClosed,
    StopRequested,
)
from services.runner.core.order import Order
from services.runner.core.plan import plan
from services.runner.core.release import left_to_sell
from services.runner.core.state import Goal, State, initial
from services.runner.core.todo import settled
from services.runner.replay.inputs import input_of
from shared.domain import portfolio
from shared.domain.approval import UnapprovedError, admit_released
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt
from shared.schemas.market import Candle, EquityMarked
from shared.schemas.orders import OrderCancelled, OrderFilled, OrderIntended, OrderReleased, OrderSubmitted, Ticket
from shared.schemas.values import STACK, OrderType, Side
from tests.guard_story import Guarded, Story, at_a_real_venue, exit_ticket
from tests.guard_story import ticket as guards_ticket
from tests.rehearsal import session
from tests.venues.paper_orders import START

LIVE = session(feed="binance", venue="binance", symbols=("BTCUSDT",), on_stop="flatten")
SILENT, HEARD = GuardSilent("guard", "no heartbeat of the guard is heard"), GuardHeard()
SLEEVE = plan(STACK, LIVE).sleeves[0].label
KEY = (SLEEVE, "BTCUSDT")


def holding(qty: str = "2", **changes: Any) -> State:
    """A session that trades and holds so many units, closed at 100 last."""
    state, story = initial(plan(STACK, LIVE)), Story(LIVE)
    account = portfolio.with_close(state.portfolio, "BTCUSDT", Decimal(100))
    if Decimal(qty):
        bought = story.fill(guards_ticket("lt-bought", strategy=SLEEVE, qty=qty))
        account, _ = portfolio.with_fill(account, bought.order, START)
    changes = {"enabled": True, "phase": "api_phase", "market_time": START, **changes}
    return state._replace(portfolio=portfolio.marked(account), **changes)


def with_order(state: State, order: Ticket, stage: Any = "intended") -> State:
    return state._replace(orders={**state.orders, order.client_order_id: Order(order, stage, STACK, STACK)})


def sale(name: str = "lt-x", qty: str = "2", purpose: str = "exit") -> Ticket:
    stop = {"type": OrderType.STOP, "stop_price": "90"} if purpose == "stop" else {}
    return exit_ticket(name, strategy=SLEEVE, qty=qty, purpose=purpose, **stop)


def purchase(name: str = "lt-b") -> Ticket:
    return guards_ticket(name, strategy=SLEEVE)


def given(state: State, *inputs: Input) -> tuple[State, list[Event]]:
    told: list[Event] = []
    for number, each in enumerate(inputs):
        state, facts = handle(state, each, cause_of(state, each, START + timedelta(seconds=number)))
        told += facts
    return state, told


def of(told: Sequence[Event], kind: type[Any]) -> list[Any]:
    return [fact for fact in told if isinstance(fact, kind)]


def test_an_exit_that_waits_for_a_silent_guard_is_told_and_goes_without_it() -> None:
    state, told = given(with_order(holding(), sale()), SILENT)
    kinds = [fact.type for fact in told]
    assert kinds == ["trading_halted", "checkpoint", "order_released", "order_submitted"]
    released = of(told, OrderReleased)[0]
    assert (released.order, released.details.free) == (sale(), Decimal(2))
    order = admit_released(released, START)
    assert (order.ticket, order.expires_at) == (sale(), START + LIVE.risk.approval_ttl)
    assert state.orders["lt-x"].stage == "submitted"


def test_a_buy_that_waits_for_a_silent_guard_is_never_sent() -> None:
    state, told = given(with_order(holding(), purchase()), SILENT)
    assert "nothing new is risked" in of(told, OrderCancelled)[0].details.reason
    assert not of(told, OrderSubmitted)
    assert not state.orders


@pytest.mark.parametrize("wanted", ["0.1", "2"])
def test_never_more_is_let_go_than_the_position_less_what_is_about_to_be_sold(wanted: str) -> None:
    state = with_order(holding(), sale("lt-stop", "1", purpose="stop"), "working")
    state, told = given(with_order(state, sale(qty=wanted)), SILENT)
    assert [fact.order.qty for fact in of(told, OrderReleased)] == ([Decimal("0.1")] if wanted == "0.1" else [])
    assert bool(of(told, OrderCancelled)) == (wanted == "2")


def test_a_part_that_was_sold_is_claimed_no_more() -> None:
    state = with_order(holding("1.5"), sale("lt-stop", "1", purpose="stop"), "working")
    stop = state.orders["lt-stop"]._replace(filled_qty=Decimal("0.5"))
    state = state._replace(orders={**state.orders, "lt-stop": stop})
    assert left_to_sell(state, Order(sale(), "intended", STACK, STACK)) == Decimal(1)


def test_what_a_strategy_closes_while_the_guard_is_silent_goes_at_once_and_only_once() -> None:
    leaving = holding(goals={KEY: Goal(Decimal(0), "the trend is over")})
    state, told = given(leaving, SILENT, StopRequested("asked to stop"))
    assert [fact.order.qty for fact in of(told, OrderIntended)] == [Decimal(2)]
    assert len(of(told, OrderReleased)) == len(of(told, OrderSubmitted)) == 1
    assert len(state.orders) == 1


def test_the_market_does_not_wait_for_the_mark_of_a_silent_guard() -> None:
    state = with_order(holding(awaits_mark=True), sale("lt-stop", purpose="stop"), "working")
    assert not settled(state)
    state, _ = given(state, SILENT)
    assert settled(state)
    bar = Candle("BTCUSDT", START, START + timedelta(minutes=1), *[Decimal(100)] * 5)
    state, told = given(state, SliceClosed([bar]))
    assert [fact.details.awaits_guard for fact in of(told, EquityMarked)] == [False]
    assert settled(state)


def test_a_kill_flattens_without_the_guard() -> None:
    kill = KillHeard(Command("kill", None, b"fire", 7, START))
    _, told = given(holding(), SILENT, kill)
    assert [fact.order.purpose for fact in of(told, OrderSubmitted)] == ["flatten"]


def test_while_the_guard_itself_acts_at_the_venue_nothing_is_let_go() -> None:
    _, told = given(with_order(holding(relieved=True), sale()), SILENT)
    assert not of(told, OrderSubmitted)
    assert "the guard itself acts" in of(told, OrderCancelled)[0].details.reason


def test_a_guard_that_is_heard_again_judges_again() -> None:
    state, _ = given(holding(), SILENT, HEARD)
    _, told = given(state, StopRequested("asked to stop"))
    assert [fact.type for fact in told] == ["checkpoint", "order_intended"]


def test_a_pause_stays_a_pause_when_the_guard_falls_silent() -> None:
    paused = Halt(kind="pause", reason="lunch", operator="anna")
    state, told = given(holding(halt=paused), SILENT)
    assert [fact.type for fact in told] == ["checkpoint"]
    assert (state.halt, state.unguarded) == (paused, True)


def test_without_the_bus_nothing_is_let_go_for_nothing_can_be_stored() -> None:
    state, told = given(with_order(holding(), sale()), GuardSilent("bus", "no connection"))
    assert [fact.type for fact in told] == ["trading_halted"]
    assert not state.unguarded


def test_a_late_verdict_on_what_went_changes_nothing() -> None:
    state, _ = given(with_order(holding(), sale()), SILENT)
    word = Guarded(Story(LIVE)).story
    late = word.tell(OrderIntended, order=sale())
    before = state
    guarded = Guarded(Story(at_a_real_venue()))
    guarded.hear(guarded.story.start(), guarded.story.close("100"))
    refusal = guarded.hear(late)[0]
    state, _ = given(state, GuardSpoke(refusal))
    assert state.orders == before.orders


@pytest.mark.parametrize("wrong", [{"side": Side.BUY}, {"reduce_only": False}, {"qty": Decimal(3)}])
def test_a_release_that_could_add_risk_passes_no_gate(wrong: dict[str, Any]) -> None:
    _, told = given(with_order(holding(), sale()), SILENT)
    released = of(told, OrderReleased)[0]
    forged = released.model_copy(update={"order": released.order.model_copy(update=wrong)})
    with pytest.raises(UnapprovedError, match="does not only reduce"):
        admit_released(forged, START)


def test_a_release_is_worth_nothing_once_it_has_expired() -> None:
    _, told = given(with_order(holding(), sale()), SILENT)
    with pytest.raises(UnapprovedError, match="expired"):
        admit_released(of(told, OrderReleased)[0], START + LIVE.risk.approval_ttl + timedelta(seconds=1))


def test_a_silence_and_its_end_are_read_off_what_was_told() -> None:
    paused = holding(halt=Halt(kind="pause", reason="lunch"))
    state, silent = given(paused, SILENT)
    _, heard = given(state, HEARD)
    assert (input_of(silent), input_of(heard)) == (SILENT, HEARD)


def test_the_guard_counts_what_went_without_it() -> None:
    guarded = Guarded(Story(at_a_real_venue()))
    guarded.hear(guarded.story.start(), guarded.story.close("100"))
    guarded.buy(guards_ticket("b", qty="2"))
    _, told = given(with_order(holding(), sale()), SILENT)
    details = of(told, OrderReleased)[0].details
    order = exit_ticket("x", qty="2")
    guarded.hear(guarded.story.tell(OrderReleased, order=order, details=details))
    assert guarded.guard.book.selling("ema_crossover", "BTCUSDT") == Decimal(2)
    assert guarded.refuses(exit_ticket("y", qty="1")) == "reduce_only"
    filled = guarded.story.fill(order)
    assert isinstance(filled, OrderFilled)
    guarded.hear(filled)
    assert not guarded.guard.book.working
    assert not guarded.guard.portfolio.positions
