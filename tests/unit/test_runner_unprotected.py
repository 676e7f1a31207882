"""What becomes of a position whose stop does not come to stand: sold, protected anew, or left for the next bar."""

from datetime import timedelta
from decimal import Decimal

from services.runner.core.causes import cause_of
from services.runner.core.decide import handle
from services.runner.core.inputs import Reported
from services.runner.core.order import Order, Stage
from services.runner.core.state import State
from shared.schemas.orders import Fill, OrderIntended, Ticket
from shared.venues.port import Filled, Reconciled, Rejected, Report
from tests.rehearsal import MONDAY, candles_at, feed_of, rehearse, session

STOPPED = {"method": "fraction", "fraction": "0.5", "stop_distance": "0.02"}
LATER = MONDAY + timedelta(hours=1)


def bought(stage: Stage = "submitted") -> tuple[State, Order]:
    """A position, and its only stop on the way to the venue."""
    result = rehearse(session(sizing=STOPPED), feed_of(candles_at(["100", "100", "100", "101", "102"])))
    (stop,) = result.state.orders.values()
    order = stop._replace(stage=stage)
    name = order.ticket.client_order_id
    return result.state._replace(stopping=None, ended=False, orders={name: order}), order


def heard(state: State, report: Report) -> tuple[State, list[Ticket]]:
    """The state after the venue's report, and the orders that are intended because of it."""
    given = Reported((report,))
    after, told = handle(state, given, cause_of(state, given, LATER))
    return after, [fact.order for fact in told if isinstance(fact, OrderIntended)]


def test_a_position_whose_stop_the_venue_refuses_is_sold_at_once() -> None:
    state, stop = bought()
    after, intended = heard(state, Rejected(stop.shown("rejected"), "Order would trigger immediately."))
    assert [(ticket.purpose, ticket.qty) for ticket in intended] == [("exit", stop.ticket.qty)]
    assert not after.blocked


def test_a_stop_that_was_never_sent_waits_for_the_next_bar_for_what_kept_it_may_last() -> None:
    state, stop = bought()
    after, intended = heard(state, Rejected(stop.shown("rejected"), "the exchange is closed", never_sent=True))
    assert not intended
    assert after.blocked == {stop.key}
    assert not after.refused_stops


def test_a_stop_that_never_arrived_is_tried_again_at_once() -> None:
    state, stop = bought("unknown")
    _, intended = heard(state, Reconciled(stop.shown("rejected"), "three answers"))
    assert [(ticket.purpose, ticket.qty) for ticket in intended] == [("stop", stop.ticket.qty)]


def test_where_another_stop_stands_the_rest_waits_for_the_next_bar() -> None:
    state, stop = bought()
    half = stop._replace(ticket=stop.ticket.model_copy(update={"client_order_id": "other"}), stage="working")
    state = state._replace(orders={**state.orders, "other": half})
    after, intended = heard(state, Rejected(stop.shown("rejected"), "too many"))
    assert not intended
    assert after.blocked == {stop.key}


def test_once_it_is_sold_the_refusal_is_forgotten() -> None:
    state, stop = bought()
    refused, (sale,) = heard(state, Rejected(stop.shown("rejected"), "Order would trigger immediately."))
    fill = Fill(
        client_order_id=sale.client_order_id,
        trade_id="1",
        strategy=sale.strategy,
        symbol=sale.symbol,
        side=sale.side,
        qty=sale.qty,
        price=Decimal(98),
        fee=Decimal(0),
        fee_asset="USDT",
        liquidity="taker",
        status="filled",
        leaves_qty=Decimal(0),
        reference_price=Decimal(98),
    )
    sold, _ = heard(refused, Filled(fill))
    assert refused.refused_stops == {stop.key}
    assert not sold.refused_stops
    assert not sold.portfolio.positions
