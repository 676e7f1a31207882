"""Our orders in Alpaca's words, and Alpaca's words about them in ours."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.schemas.values import Side, TimeInForce
from shared.venues.alpaca.fees import fee_of, liquidity, rates_of
from shared.venues.alpaca.orders import answered, filled_by, reported, request_of, shown
from shared.venues.alpaca.rules import check_tradable, instrument
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Executed, Shown
from tests.venues.paper_orders import ticket

RATES = rates_of(1)
AT = "2026-01-05T15:00:00.123456789Z"


def order(status: str, filled: str = "0", **fields: Any) -> dict[str, Any]:
    told = {
        "id": "61e69015",
        "client_order_id": "lt-1",
        "symbol": "BTC/USD",
        "side": "buy",
        "type": "market",
        "status": status,
        "filled_qty": filled,
        "submitted_at": AT,
    }
    return told | fields


def trade(qty: str, cumulative: str, price: str = "100") -> dict[str, Any]:
    return {"qty": qty, "cum_qty": cumulative, "price": price, "transaction_time": AT, "order_id": "61e69015"}


def update(event: str, told: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"event": event, "timestamp": AT, "order": told, **fields}


def test_a_request_says_everything_in_plain_digits() -> None:
    asked = request_of(ticket("0.00000001", Side.SELL, "lt-1", symbol="BTC/USD", price="90", stop_price="91"))
    assert asked == {
        "symbol": "BTC/USD",
        "side": "sell",
        "type": "stop_limit",
        "qty": "0.00000001",
        "time_in_force": "gtc",
        "client_order_id": "lt-1",
        "limit_price": "90",
        "stop_price": "91",
    }


@pytest.mark.parametrize(
    ("symbol", "fields", "lasting"),
    [
        ("AAPL", {}, "day"),
        ("AAPL", {"stop_price": "90"}, "gtc"),
        ("AAPL", {"qty": "1.5", "stop_price": "90"}, "day"),
        ("AAPL", {"price": "90", "time_in_force": TimeInForce.IOC}, "ioc"),
        ("BTC/USD", {}, "gtc"),
        ("BTC/USD", {"price": "90", "time_in_force": TimeInForce.DAY}, "gtc"),
        ("BTC/USD", {"price": "90", "time_in_force": TimeInForce.IOC}, "ioc"),
    ],
)
def test_an_order_stands_as_long_as_the_venue_lets_it(symbol: str, fields: dict[str, Any], lasting: str) -> None:
    qty = fields.pop("qty", "1")
    assert request_of(ticket(qty, symbol=symbol, **fields))["time_in_force"] == lasting


@pytest.mark.parametrize(
    ("symbol", "fields"),
    [
        ("BTC/USD", {"stop_price": "90"}),
        ("BTC/USD", {"price": "90", "time_in_force": TimeInForce.FOK}),
        ("AAPL", {"qty": "0.5", "time_in_force": TimeInForce.IOC}),
        ("AAPL", {"stop_price": "90", "time_in_force": TimeInForce.FOK}),
    ],
)
def test_what_the_venue_has_not_is_refused_before_it_is_sent(symbol: str, fields: dict[str, Any]) -> None:
    with pytest.raises(VenueError) as refused:
        request_of(ticket(symbol=symbol, **fields))
    assert refused.value.fate is Fate.REFUSED


def test_the_answer_to_an_order_says_that_it_arrived_and_no_more() -> None:
    sent = ticket(name="lt-1", symbol="BTC/USD")
    assert answered(sent, order("filled", "1")) == (Shown("lt-1", "61e69015", "working", Decimal(0)),)
    assert answered(sent, order("rejected")) == (Shown("lt-1", "61e69015", "rejected", Decimal(0)),)


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("pending_new", "working"),
        ("held", "working"),
        ("pending_cancel", "working"),
        ("done_for_day", "working"),
        ("a_status_of_tomorrow", "working"),
        ("canceled", "cancelled"),
        ("replaced", "cancelled"),
        ("expired", "expired"),
        ("rejected", "rejected"),
    ],
)
def test_a_status_says_whether_an_order_may_still_trade(status: str, standing: str) -> None:
    told = reported(update(status, order(status)), RATES)
    assert [word.standing for word in told if isinstance(word, Shown)] == [standing]


def test_an_end_is_told_after_the_trades_that_it_counts() -> None:
    told = shown(order("filled", "3"), [trade("1", "1"), trade("2", "3")], RATES)
    assert [type(word) for word in told] == [Shown, Executed, Executed, Shown]


def test_a_trade_has_one_name_whoever_tells_it_and_however_the_number_is_written() -> None:
    [streamed, _] = reported(update("fill", order("filled", "3.0"), qty="2", price="100"), RATES)
    looked = shown(order("filled", "3"), [trade("1", "1.000"), trade("2", "3")], RATES)[2]
    assert streamed == looked


def test_two_equal_trades_of_an_order_have_different_names() -> None:
    told = shown(order("filled", "2"), [trade("1", "1"), trade("1", "2")], RATES)
    assert len({word.trade_id for word in told if isinstance(word, Executed)}) == 2


def test_a_trade_tells_from_where_it_took_its_order_on() -> None:
    assert filled_by(update("partial_fill", order("partially_filled", "3"), qty="2", price="1")) == (
        Decimal(1),
        Decimal(3),
    )


def test_the_fee_of_a_pair_is_in_what_was_received_and_stocks_are_free() -> None:
    qty, price = Decimal(2), Decimal(100)
    assert fee_of("BTC/USD", qty, price, RATES.taker, bought=True) == (Decimal("0.005"), "BTC")
    assert fee_of("ETH/BTC", qty, price, RATES.taker, bought=False) == (Decimal("0.5"), "BTC")
    assert fee_of("AAPL", qty, price, RATES.taker, bought=False) == (Decimal(0), "USD")


def test_a_limit_that_stood_added_liquidity() -> None:
    begun = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
    later = begun.replace(minute=1)
    assert (liquidity("limit", begun, later), liquidity("limit", begun, begun)) == ("maker", "taker")
    assert liquidity("stop_limit", begun, later) == "taker"


def test_tiers_get_cheaper_and_one_that_is_not_known_is_the_dearest() -> None:
    assert (rates_of(8).taker, rates_of(1).taker, rates_of(None)) == (Decimal("0.001"), Decimal("0.0025"), rates_of(1))
    assert rates_of(99) == rates_of(1)


@pytest.mark.parametrize(("last", "step"), [("190", "0.01"), ("1", "0.01"), ("0.9999", "0.0001"), (None, "0.01")])
def test_prices_below_a_dollar_have_finer_steps(last: str | None, step: str) -> None:
    told = instrument({"symbol": "AAPL", "fractionable": True}, Decimal(last) if last else None)
    assert (told.tick_size, told.lot_step, told.min_notional) == (Decimal(step), Decimal("0.000000001"), Decimal(1))


def test_some_stocks_are_sold_by_the_share_only() -> None:
    told = instrument({"symbol": "WHOLE", "fractionable": False}, Decimal(10))
    assert (told.lot_step, told.min_qty) == (Decimal(1), Decimal(1))


def test_a_pair_has_rules_of_its_own() -> None:
    told = instrument(
        {
            "symbol": "BTC/USD",
            "min_order_size": "0.0001",
            "min_trade_increment": "0.000000001",
            "price_increment": "0.010",
        },
        None,
    )
    assert (told.tick_size, told.lot_step, told.min_qty, told.min_notional) == (
        Decimal("0.01"),
        Decimal("0.000000001"),
        Decimal("0.0001"),
        Decimal(10),
    )


def test_what_is_not_traded_is_refused() -> None:
    with pytest.raises(VenueError, match="GONE is not traded"):
        check_tradable({"symbol": "GONE", "tradable": False, "status": "inactive"})
