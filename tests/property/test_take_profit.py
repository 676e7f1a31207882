"""Whatever the market does, a position with a stop, be it in a list or alone, is protected and never sold twice."""

from datetime import timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.schemas.envelope import Event
from shared.schemas.market import Candle
from shared.schemas.orders import OrderFilled, OrderIntended, OrderRejected
from shared.schemas.session import SessionConfig
from shared.schemas.values import Side
from tests.rehearsal import MONDAY, Rehearsed, feed_of, rehearse, session

BARS = 80


@st.composite
def markets(draw: st.DrawFn) -> list[Candle]:
    """A random walk in cents with jumps, in bars of little volume."""
    chance, level, made = Random(draw(st.integers(0, 2**32))), 10_000, []
    width = draw(st.sampled_from([20, 80, 250]))
    for number in range(BARS):
        opened, closed = (max(level + chance.randint(-width, width), 1000) for _ in range(2))
        top, low = max(opened, closed) + chance.randint(0, width), min(opened, closed) - chance.randint(0, width)
        first, high, bottom, last = (Decimal(price) / 100 for price in (opened, top, max(low, 500), closed))
        at, volume = MONDAY + number * timedelta(minutes=1), Decimal(chance.randint(0, 60))
        made.append(Candle("BTCUSDT", at, at + timedelta(minutes=1), first, high, bottom, last, volume))
        level = closed
    return made


@st.composite
def takers(draw: st.DrawFn) -> SessionConfig:
    return session(
        sizing={
            "fraction": "0.5",
            "stop_distance": draw(st.sampled_from(["0.004", "0.02"])),
            "profit_distance": draw(st.none() | st.sampled_from(["0.002", "0.01", "0.05"])),
        },
        orders={
            "entry": draw(st.sampled_from(["market", "limit"])),
            "stop": draw(st.sampled_from(["stop", "stop_limit"])),
        },
        instrument={"tick_size": "0.01", "lot_step": "0.00001", "has_lists": draw(st.booleans())},
        paper={"participation": draw(st.none() | st.sampled_from(["0.2", "1"])), "latency": "0s"},
    )


def sold_of(events: list[Event], name: str) -> Decimal:
    fills = (event.order for event in events if isinstance(event, OrderFilled))
    return sum((fill.qty for fill in fills if fill.client_order_id == name), Decimal(0))


def lived(config: SessionConfig, candles: list[Candle]) -> Rehearsed:
    return rehearse(config, feed_of(candles))


@given(takers(), markets())
def test_no_list_sells_more_than_its_quantity_and_no_sale_leaves_less_than_nothing(
    config: SessionConfig, candles: list[Candle]
) -> None:
    result = lived(config, candles)
    held = Decimal(0)
    for event in result.events:
        if isinstance(event, OrderFilled):
            held += event.order.qty if event.order.side is Side.BUY else -event.order.qty
            assert held >= 0
    for intent in result.told(OrderIntended):
        assert sold_of(list(result.events), intent.order.client_order_id) <= intent.order.qty
    assert not [each for each in result.told(OrderRejected) if "insufficient" in each.details.reason]


@given(takers(), markets())
def test_at_the_end_all_that_is_held_is_covered_by_a_stop_or_about_to_be_sold(
    config: SessionConfig, candles: list[Candle]
) -> None:
    state = lived(config, candles).state
    for key, position in state.portfolio.positions.items():
        orders = [order for order in state.orders_of(key) if order.ticket.side is Side.SELL and not order.taking]
        covered = sum((order.ticket.qty - order.filled_qty for order in orders), Decimal(0))
        assert covered == position.qty


@given(takers(), markets())
def test_a_take_profit_fills_at_its_price_or_better(config: SessionConfig, candles: list[Candle]) -> None:
    result = lived(config, candles)
    lists = {each.order.client_order_id: each.order for each in result.told(OrderIntended) if each.order.is_list}
    for event in result.told(OrderFilled):
        fill = event.order
        ticket = lists.get(fill.client_order_id)
        if ticket is not None and fill.liquidity == "maker" and ticket.price is None:
            assert ticket.takes_profit_at(fill.price)
