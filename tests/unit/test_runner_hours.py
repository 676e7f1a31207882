"""An exchange that closes: flat before it does where the session asks for it, and nothing ordered while it is."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.runner.core.causes import cause_of
from services.runner.core.decide import handle
from services.runner.core.hours import WAITING
from services.runner.core.inputs import HoursTurned, Input, KillHeard, SliceClosed, StopRequested
from services.runner.core.state import State
from services.runner.core.todo import Cancel, todo
from shared.domain.portfolio import with_close
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Checkpoint
from shared.schemas.market import ExchangeStanding, TradingHours, TradingHoursChanged
from shared.schemas.orders import OrderIntended, Ticket
from tests.rehearsal import candle, candles_at, feed_of, rehearse, session

CLOSE = datetime(2026, 11, 27, 18, tzinfo=UTC)
OPEN = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
PROTECTED = {"method": "fraction", "fraction": "0.5", "stop_distance": "0.02"}
RISE = ["100", "100", "100", "101", "102"]


def holding() -> State:
    """A session that holds a position with its stop at the venue."""
    config = session(sizing=PROTECTED, on_stop="flatten", on_kill="flatten")
    state = rehearse(config.model_copy(update={"on_stop": "keep"}), feed_of(candles_at(RISE))).state
    return state._replace(plan=replace(state.plan, config=config), stopping=None, ended=False)


def after(state: State, given: Input) -> tuple[State, list[Event]]:
    state, facts = handle(state, given, cause_of(state, given, datetime(2026, 11, 27, 17, tzinfo=UTC)))
    return state, list(facts)


def turned(standing: ExchangeStanding) -> HoursTurned:
    until = OPEN if standing == "closed" else CLOSE
    return HoursTurned(TradingHours(symbols=("BTCUSDT",), standing=standing, until=until))


def intents(facts: list[Event]) -> list[str]:
    return [fact.order.purpose for fact in facts if isinstance(fact, OrderIntended)]


def waiting(facts: list[Event]) -> list[str]:
    return [f.details.observed for f in facts if isinstance(f, Checkpoint) and f.details.name == WAITING]


def without_orders(state: State) -> State:
    return state._replace(orders={})


def test_before_the_close_the_stop_is_taken_back_and_the_position_sold() -> None:
    state, facts = after(holding(), turned("closing"))
    assert isinstance(facts[0], TradingHoursChanged)
    assert [each.reason for each in todo(state) if isinstance(each, Cancel)] == [
        "the exchange closes at 2026-11-27T18:00:00.000000Z"
    ]
    _, facts = after(without_orders(holding()), turned("closing"))
    assert intents(facts) == ["exit"]


def test_before_the_close_nothing_is_entered() -> None:
    config = session(sizing=PROTECTED)
    state = rehearse(config, feed_of(candles_at(RISE[:-2]))).state._replace(stopping=None, ended=False)
    rise = SliceClosed([candle(3, "101", open="100")])
    assert intents(after(state, rise)[1]) == ["entry"]
    state, _ = after(state, turned("closing"))
    assert intents(after(state, rise)[1]) == []


@pytest.mark.parametrize("standing", ["open", "closing"])
def test_a_stop_while_the_exchange_trades_waits_for_nothing(standing: ExchangeStanding) -> None:
    state, _ = after(holding(), turned(standing))
    _, facts = after(state, StopRequested("an operator's word"))
    assert waiting(facts) == []


def test_a_stop_while_it_is_closed_is_told_and_carried_out_at_the_opening() -> None:
    state, _ = after(holding(), turned("closed"))
    state, facts = after(state, StopRequested("an operator's word"))
    assert waiting(facts) == [
        "BTCUSDT is to be closed: an operator's word; "
        "carried out when the exchange opens at 2026-11-30T14:30:00.000000Z"
    ]
    assert list(todo(state)) == []
    state, _ = after(state, turned("open"))
    assert [each.reason for each in todo(state) if isinstance(each, Cancel)] == ["an operator's word"]
    _, facts = after(without_orders(state)._replace(hours=turned("closed").hours), turned("open"))
    assert intents(facts) == ["flatten"]


def test_a_kill_while_it_is_closed_takes_orders_back_at_once_and_sells_at_the_opening() -> None:
    state, _ = after(holding(), turned("closed"))
    state, facts = after(state, KillHeard(Command("kill", None, b"fat finger", 7, CLOSE)))
    assert waiting(facts)[0].startswith("BTCUSDT is to be closed: kill; carried out when the exchange opens")
    assert [each.reason for each in todo(state) if isinstance(each, Cancel)] == ["kill"]
    assert intents(facts) == []
    _, facts = after(without_orders(state), turned("open"))
    assert intents(facts) == ["flatten"]


def test_what_was_refused_because_it_was_closed_is_tried_again_at_the_opening() -> None:
    state = without_orders(holding())
    state = state._replace(blocked=frozenset(state.portfolio.positions))
    _, facts = after(state, turned("open"))
    assert intents(facts) == ["stop"]


def test_what_the_days_last_bar_leads_to_waits_for_the_opening_and_leaves_the_stop_where_it_is() -> None:
    state, _ = after(holding(), turned("open"))
    state = state._replace(market_time=CLOSE)
    state, facts = after(state, StopRequested("done"))
    assert (intents(facts), list(todo(state)), len(waiting(facts))) == ([], [], 1)


def test_a_session_without_hours_is_open() -> None:
    assert intents(after(without_orders(holding()), StopRequested("done"))[1]) == ["flatten"]


def extended() -> State:
    """A session that trades in extended hours, which it is in now, and holds a position without a stop."""
    state, plan = without_orders(holding()), holding().plan
    schedule = plan.config.schedule.model_copy(update={"extended_hours": True})
    orders = plan.config.orders.model_copy(update={"entry": "limit"})
    config = plan.config.model_copy(update={"schedule": schedule, "orders": orders})
    return after(state._replace(plan=replace(plan, config=config)), turned("extended"))[0]


def order_of(facts: list[Event]) -> Ticket:
    (intent,) = (fact for fact in facts if isinstance(fact, OrderIntended))
    return intent.order


def test_in_extended_hours_a_position_is_closed_by_a_limit_order_that_asks_for_them() -> None:
    exit_ = order_of(after(extended(), StopRequested("done"))[1])
    assert (exit_.type, exit_.price, exit_.extended_hours) == ("limit", Decimal("102") * Decimal("0.995"), True)


def test_an_exit_that_does_not_fill_in_extended_hours_gets_a_new_limit() -> None:
    state, facts = after(extended(), StopRequested("done"))
    name = order_of(facts).client_order_id
    waiting_long = state.orders[name]._replace(stage="working", bars=state.plan.config.orders.cancel_after_bars)
    state = state._replace(orders={name: waiting_long})
    assert [each.client_order_id for each in todo(state) if isinstance(each, Cancel)] == [name]


def test_in_extended_hours_the_runner_watches_the_stop_that_the_venue_would_not_work() -> None:
    state = extended()
    above, below = (
        state._replace(portfolio=with_close(state.portfolio, "BTCUSDT", Decimal(price))) for price in ("98.99", "98.98")
    )
    assert intents(after(above, turned("extended"))[1]) == []
    exit_ = order_of(after(below, turned("extended"))[1])
    assert (exit_.purpose, exit_.type) == ("exit", "limit")


def test_at_the_opening_the_stop_is_placed() -> None:
    assert intents(after(extended(), turned("open"))[1]) == ["stop"]


@pytest.mark.parametrize(
    ("schedule", "orders", "problem"),
    [
        ({"extended_hours": True}, {}, "orders.entry = 'limit'"),
        ({"extended_hours": True, "flat_before_close": "5m"}, {"entry": "limit"}, "contradict"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    schedule: dict[str, object], orders: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        session(feed="alpaca", schedule=schedule, orders=orders)
    with pytest.raises(ValueError, match="feed 'alpaca' alone"):
        session(schedule=schedule, orders=orders)
