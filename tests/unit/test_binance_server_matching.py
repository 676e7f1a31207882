"""The Binance test server's matching: what fills, at which price, and what it leaves in the balances."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.venues.binance.exchange import Exchange
from tests.venues.binance.fees import Fees
from tests.venues.binance.ledger import Ledger
from tests.venues.binance.orders import Order, Wanted
from tests.venues.binance.refusal import Refusal
from tests.venues.binance.symbols import Symbol
from tests.venues.faults import Fault, Faults
from tests.venues.market import Market, Price

D = Decimal
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BUY = Wanted("BTCUSDT", "BUY", "LIMIT", "buy", D(2), price=D(95))
SELL = Wanted("BTCUSDT", "SELL", "LIMIT", "sell", D(2), price=D(110))
NOW = Wanted("BTCUSDT", "BUY", "MARKET", "now", D(1))
STOP = Wanted("BTCUSDT", "SELL", "STOP_LOSS_LIMIT", "stop", D(2), price=D(89), stop=D(90))


class Stage:
    def __init__(self, fees: Fees | None = None, liquidity: str | None = None) -> None:
        self.market, self.faults = Market(), Faults()
        symbol = Symbol("BTC", "USDT", liquidity=D(liquidity) if liquidity else None)
        self.exchange = Exchange({"BTCUSDT": symbol}, self.market, self.faults, lambda: 1, fees=fees)
        self.ledger.total.update(USDT=D(1000), BTC=D(2))
        self.price("100")

    @property
    def ledger(self) -> Ledger:
        return self.exchange.books.ledger

    def price(self, text: str) -> None:
        self.market.last["BTCUSDT"] = D(text)
        self.exchange.on_price(Price("BTCUSDT", D(text), D(1), AT))

    def place(self, wanted: Wanted) -> Order:
        return self.exchange.place(wanted)

    def kinds(self) -> list[tuple[str, str]]:
        told = [event for event in self.exchange.telling.events if event["e"] == "executionReport"]
        return [(event["x"], event["X"]) for event in told]


def test_a_market_buy_pays_one_tick_above_the_last_price_and_its_fee_in_the_base_asset() -> None:
    stage = Stage()
    order = stage.place(NOW)
    assert (order.status, order.trades[0].price) == ("FILLED", D("100.01"))
    assert stage.ledger.total == {"USDT": D("899.99"), "BTC": D("2.999")}
    assert stage.kinds() == [("NEW", "NEW"), ("TRADE", "FILLED")]


def test_a_market_sell_gets_the_last_price_and_pays_its_fee_in_the_quote_asset() -> None:
    stage = Stage()
    stage.place(but(NOW, side="SELL"))
    assert stage.ledger.total == {"USDT": D("1099.9"), "BTC": D(1)}


def test_an_amount_in_the_quote_asset_buys_what_fits_the_step() -> None:
    stage = Stage()
    order = stage.place(but(NOW, qty=D(0), quote_qty=D(50)))
    assert (order.qty, order.status) == (D("0.49995"), "FILLED")


def test_a_resting_order_locks_its_funds_and_fills_at_its_own_price_as_maker() -> None:
    stage = Stage()
    order = stage.place(BUY)
    assert (order.status, stage.ledger.locked("USDT"), stage.ledger.free("USDT")) == ("NEW", D(190), D(810))
    stage.price("95.01")
    assert order.open
    stage.price("90")
    assert (order.status, order.trades[0].price, order.trades[0].maker) == ("FILLED", D(95), True)
    assert (stage.ledger.locked("USDT"), stage.ledger.total["USDT"]) == (D(0), D(810))


def test_a_limit_order_across_the_market_takes_at_the_markets_price() -> None:
    stage = Stage()
    order = stage.place(but(BUY, price=D(105)))
    assert (order.status, order.trades[0].price, order.trades[0].maker) == ("FILLED", D("100.01"), False)


def test_an_order_that_only_makes_is_refused_where_it_would_take() -> None:
    with pytest.raises(Refusal, match="immediately match and take"):
        Stage().place(but(BUY, type="LIMIT_MAKER", price=D("100.01")))


@pytest.mark.parametrize(("tif", "filled"), [("IOC", D("0.5")), ("FOK", D(0))])
def test_an_impatient_order_expires_with_what_the_book_had(tif: str, filled: Decimal) -> None:
    stage = Stage(liquidity="0.5")
    order = stage.place(but(BUY, price=D(101), tif=tif))
    assert (order.status, order.filled) == ("EXPIRED", filled)
    assert stage.ledger.locked("USDT") == 0


def test_a_market_order_that_exhausts_the_book_expires_with_its_fills() -> None:
    stage = Stage(liquidity="0.4")
    order = stage.place(NOW)
    assert (order.status, order.filled) == ("EXPIRED", D("0.4"))
    assert stage.kinds() == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("EXPIRED", "EXPIRED")]


def test_a_resting_order_is_filled_bit_by_bit_where_liquidity_is_short() -> None:
    stage = Stage(liquidity="0.75")
    order = stage.place(BUY)
    for _ in range(3):
        stage.price("95")
    assert [trade.qty for trade in order.trades] == [D("0.75"), D("0.75"), D("0.5")]
    assert order.status == "FILLED"


def test_a_planned_partial_fill_comes_in_several_pieces() -> None:
    stage = Stage()
    stage.faults.next(Fault.PARTIAL)
    order = stage.place(BUY)
    stage.price("95")
    assert (order.status, len(order.trades)) == ("PARTIALLY_FILLED", 1)
    stage.price("95")
    stage.price("95")
    assert (order.status, len(order.trades), order.filled) == ("FILLED", 3, D(2))
    assert len({trade.id for trade in order.trades}) == 3


def test_a_stop_waits_for_its_price_and_then_is_an_ordinary_order() -> None:
    stage = Stage()
    order = stage.place(STOP)
    assert (order.working, stage.ledger.locked("BTC")) == (False, D(2))
    stage.price("90.01")
    assert not order.working
    stage.price("90")
    assert (order.working, order.status, order.trades[0].price) == (True, "FILLED", D(90))


def test_a_stop_limit_that_the_price_jumps_over_stays_open() -> None:
    stage = Stage()
    order = stage.place(STOP)
    stage.price("80")
    assert (order.working, order.status) == (True, "NEW")


def test_a_stop_whose_price_is_reached_already_is_refused() -> None:
    with pytest.raises(Refusal, match="would trigger immediately"):
        Stage().place(but(STOP, stop=D(100)))


def test_of_two_linked_orders_one_ends_the_other_and_funds_are_locked_once() -> None:
    stage = Stage()
    above = but(SELL, type="LIMIT_MAKER")
    listed = stage.exchange.place_oco(above, STOP, "list")
    up, down = (stage.exchange.books.orders[id_] for id_ in listed.orders)
    assert stage.ledger.locked("BTC") == D(2)
    stage.price("110")
    assert (up.status, down.status, listed.order_status) == ("FILLED", "EXPIRED", "ALL_DONE")
    assert stage.ledger.locked("BTC") == 0


def test_cancelling_one_of_two_linked_orders_cancels_both() -> None:
    stage = Stage()
    listed = stage.exchange.place_oco(but(SELL, type="LIMIT_MAKER"), STOP, "list")
    legs = [stage.exchange.books.orders[id_] for id_ in listed.orders]
    stage.exchange.cancel(legs[0], "cancel")
    assert [leg.status for leg in legs] == ["CANCELED", "CANCELED"]
    assert stage.ledger.free("BTC") == D(2)


def test_a_clients_id_may_be_used_again_once_its_order_is_closed_but_not_before() -> None:
    stage = Stage()
    order = stage.place(BUY)
    with pytest.raises(Refusal, match="Duplicate order sent"):
        stage.place(but(BUY, price=D(94)))
    stage.exchange.cancel(order, "cancel")
    assert stage.place(BUY).id != order.id
    first = stage.place(NOW)
    assert stage.place(NOW).id != first.id


def test_a_closed_order_can_not_be_cancelled() -> None:
    stage = Stage()
    order = stage.place(NOW)
    with pytest.raises(Refusal, match="Unknown order sent") as caught:
        stage.exchange.cancel(order, "cancel")
    assert caught.value.code == -2011


def test_locked_funds_can_not_be_used_twice() -> None:
    stage = Stage()
    stage.place(SELL)
    with pytest.raises(Refusal, match="insufficient balance"):
        stage.place(but(SELL, client_id="other", qty=D("0.1")))


def test_fees_are_paid_in_bnb_while_there_is_enough_of_it() -> None:
    stage = Stage(Fees(in_bnb=True))
    stage.market.last["BNBUSDT"] = D(500)
    stage.ledger.total["BNB"] = D("0.0003")
    first, second = stage.place(NOW), stage.place(NOW)
    assert (first.trades[0].commission, first.trades[0].commission_asset) == (D("0.00020002"), "BNB")
    assert second.trades[0].commission_asset == "BTC"
    assert stage.ledger.total["BNB"] == D("0.00009998")


def test_what_was_before_the_last_change_is_kept_for_stale_reads() -> None:
    stage = Stage()
    order = stage.place(BUY)
    assert order.id not in stage.exchange.before.orders
    stage.exchange.cancel(order, "cancel")
    assert stage.exchange.before.orders[order.id].open


def but(wanted: Wanted, **changes: object) -> Wanted:
    return wanted._replace(**changes)  # type: ignore[arg-type]
