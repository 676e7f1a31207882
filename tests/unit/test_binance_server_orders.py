"""Which orders the Binance test server refuses before they reach the market."""

from decimal import Decimal

import pytest

from tests.venues.binance.orders import Order, Wanted
from tests.venues.binance.parameters import only, wanted_of
from tests.venues.binance.refusal import Refusal
from tests.venues.binance.symbols import Symbol

BTC = Symbol("BTC", "USDT", max_position=Decimal(10))
LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "1",
    "price": "100",
}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
STOP = LIMIT | {"side": "SELL", "type": "STOP_LOSS_LIMIT", "stopPrice": "90", "price": "89"}


def order(parameters: dict[str, str]) -> Wanted:
    return wanted_of(parameters, {"BTCUSDT": BTC}, "made")


def without(parameters: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in parameters.items() if key != name}


@pytest.mark.parametrize(
    ("parameters", "code", "word"),
    [
        (without(LIMIT, "symbol"), -1102, "symbol"),
        (LIMIT | {"symbol": "XYZUSDT"}, -1121, "Invalid symbol"),
        (without(LIMIT, "side"), -1102, "side"),
        (LIMIT | {"side": "LONG"}, -1117, "Invalid side"),
        (LIMIT | {"type": "ICEBERG"}, -1116, "Invalid orderType"),
        (without(LIMIT, "timeInForce"), -1102, "timeInForce"),
        (LIMIT | {"timeInForce": "DAY"}, -1115, "Invalid timeInForce"),
        (without(LIMIT, "price"), -1102, "price"),
        (without(LIMIT, "quantity"), -1102, "quantity"),
        (LIMIT | {"stopPrice": "90"}, -1106, "stopPrice"),
        (LIMIT | {"quoteOrderQty": "90"}, -1106, "quoteOrderQty"),
        (LIMIT | {"quantity": "one"}, -1100, "quantity"),
        (LIMIT | {"quantity": "1e-3"}, -1100, "quantity"),
        (LIMIT | {"quantity": "-1"}, -1100, "quantity"),
        (LIMIT | {"quantity": "0"}, -1013, "Invalid quantity"),
        (LIMIT | {"price": "100.123456789"}, -1111, "price"),
        (LIMIT | {"newClientOrderId": "with a space"}, -1100, "newClientOrderId"),
        (LIMIT | {"newClientOrderId": "a" * 37}, -1100, "newClientOrderId"),
        (MARKET | {"price": "100"}, -1106, "price"),
        (MARKET | {"timeInForce": "GTC"}, -1106, "timeInForce"),
        (MARKET | {"quoteOrderQty": "100"}, -1128, "Combination"),
        (without(MARKET, "quantity"), -1102, "'quantity' or 'quoteOrderQty'"),
        (without(STOP, "stopPrice"), -1102, "stopPrice"),
        (LIMIT | {"type": "LIMIT_MAKER"}, -1106, "timeInForce"),
    ],
)
def test_an_order_with_wrong_parameters_is_refused(parameters: dict[str, str], code: int, word: str) -> None:
    with pytest.raises(Refusal, match=word) as caught:
        order(parameters)
    assert caught.value.code == code


def test_an_order_is_read_with_every_amount_exact() -> None:
    read = order(STOP | {"newClientOrderId": "mine-1_A"})
    assert read == Wanted(
        "BTCUSDT",
        "SELL",
        "STOP_LOSS_LIMIT",
        "mine-1_A",
        Decimal(1),
        price=Decimal(89),
        stop=Decimal(90),
    )


def test_a_parameter_that_nobody_reads_is_refused() -> None:
    with pytest.raises(Refusal, match=r"read '2' parameter.s. but was sent '3'") as caught:
        only({"symbol": "BTCUSDT", "signature": "x", "reduceOnly": "true"}, "symbol")
    assert caught.value.code == -1104


@pytest.mark.parametrize(
    ("change", "filter_name"),
    [
        ({"price": "100.001"}, "PRICE_FILTER"),
        ({"price": "1000000.01"}, "PRICE_FILTER"),
        ({"price": "501"}, "PERCENT_PRICE_BY_SIDE"),
        ({"price": "19"}, "PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "0.000001"}, "LOT_SIZE"),
        ({"quantity": "1.000001"}, "LOT_SIZE"),
        ({"quantity": "9001"}, "LOT_SIZE"),
        ({"quantity": "0.01"}, "NOTIONAL"),
        ({"quantity": "9"}, "MAX_POSITION"),
    ],
)
def test_a_limit_order_that_a_filter_forbids_is_refused_by_its_name(change: dict[str, str], filter_name: str) -> None:
    with pytest.raises(Refusal) as caught:
        BTC.check(order(LIMIT | change), Decimal(100), [], Decimal("1.5"))
    assert (caught.value.code, caught.value.msg) == (-1013, f"Filter failure: {filter_name}")


def test_a_market_order_has_a_greatest_size_of_its_own() -> None:
    with pytest.raises(Refusal, match="MARKET_LOT_SIZE"):
        BTC.check(order(MARKET | {"quantity": "121"}), Decimal(100), [], Decimal(0))


def test_a_market_order_is_valued_by_the_average_price() -> None:
    with pytest.raises(Refusal, match="NOTIONAL"):
        BTC.check(order(MARKET | {"quantity": "0.04"}), Decimal(100), [], Decimal(0))
    BTC.check(order(MARKET | {"quantity": "0.05"}), Decimal(100), [], Decimal(0))


def test_only_so_many_orders_and_so_many_stops_may_be_open() -> None:
    few = Symbol("BTC", "USDT", max_orders=3, max_algo_orders=1)
    stop, limit = Order(1, order(STOP), 0), Order(2, order(LIMIT), 0)
    with pytest.raises(Refusal, match="MAX_NUM_ALGO_ORDERS"):
        few.check(order(STOP), Decimal(100), [stop, limit], Decimal(0))
    few.check(order(LIMIT), Decimal(100), [stop, limit], Decimal(0))
    with pytest.raises(Refusal, match="MAX_NUM_ORDERS"):
        few.check(order(LIMIT), Decimal(100), [stop, limit, limit], Decimal(0))


def test_a_kind_of_order_that_the_symbol_does_not_offer_is_refused() -> None:
    plain = Symbol("BTC", "USDT", types=("LIMIT", "MARKET"))
    assert plain.info()["orderTypes"] == ["LIMIT", "MARKET"]
    plain.check(order(LIMIT), Decimal(100), [], Decimal(0))
    with pytest.raises(Refusal, match="Stop loss limit orders are not supported for this symbol"):
        plain.check(order(STOP), Decimal(100), [], Decimal(0))


@pytest.mark.parametrize("status", ["HALT", "BREAK", "CANCEL_ONLY"])
def test_a_symbol_that_is_not_trading_takes_no_order(status: str) -> None:
    closed = Symbol("BTC", "USDT", status=status)
    with pytest.raises(Refusal, match="Market is closed"):
        closed.check(order(LIMIT), Decimal(100), [], Decimal(0))
