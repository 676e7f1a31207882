"""Whatever happens on the Binance test server, its balances are those that its trades and open orders explain."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venues.binance.exchange import Exchange
from tests.venues.binance.orders import Wanted
from tests.venues.binance.refusal import Refusal
from tests.venues.binance.symbols import Symbol
from tests.venues.faults import Fault, Faults
from tests.venues.market import Market, Price

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OWNED = {"USDT": Decimal(1000), "BTC": Decimal(5)}
prices = st.integers(80, 120).map(Decimal)
wanted = st.builds(
    Wanted,
    st.just("BTCUSDT"),
    st.sampled_from(["BUY", "SELL"]),
    st.sampled_from(["LIMIT", "MARKET", "STOP_LOSS_LIMIT", "STOP_LOSS", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER"]),
    st.uuids().map(lambda id_: id_.hex),
    st.integers(1, 40).map(lambda tenths: Decimal(tenths) / 10),
    st.just(Decimal(0)),
    prices,
    prices,
    st.sampled_from(["GTC", "IOC", "FOK"]),
)
steps = st.lists(st.one_of(wanted, prices, st.integers(0, 9), st.tuples(wanted, wanted)), max_size=25)


@settings(max_examples=60, deadline=None)
@given(steps, st.sampled_from([None, Decimal("0.7")]), st.floats(0, 1))
def test_balances_follow_from_trades_and_open_orders(steps: list[Any], liquidity: Decimal | None, share: float) -> None:
    exchange = new_exchange(liquidity, share)
    for step in steps:
        with contextlib.suppress(Refusal):
            take(exchange, step)
        check(exchange)


def new_exchange(liquidity: Decimal | None, share: float) -> Exchange:
    market, faults = Market(), Faults(seed=1)
    faults.rate(Fault.PARTIAL, share)
    market.last["BTCUSDT"] = Decimal(100)
    symbols = {"BTCUSDT": Symbol("BTC", "USDT", liquidity=liquidity)}
    exchange = Exchange(symbols, market, faults, lambda: 1)
    exchange.books.ledger.total.update(OWNED)
    return exchange


def take(exchange: Exchange, step: Any) -> None:
    if isinstance(step, Decimal):
        exchange.market.last["BTCUSDT"] = step
        exchange.on_price(Price("BTCUSDT", step, Decimal(1), AT))
    elif isinstance(step, Wanted):
        exchange.place(plain(step))
    elif isinstance(step, tuple):
        above, below = sorted((plain(leg) for leg in step), key=lambda leg: leg.price, reverse=True)
        exchange.place_oco(above._replace(tif="GTC"), below._replace(side=above.side, qty=above.qty, tif="GTC"), "list")
    else:
        found = exchange.books.open_orders()
        if found:
            exchange.cancel(found[step % len(found)], "cancel")


def plain(step: Wanted) -> Wanted:
    priced = step.type not in ("MARKET", "STOP_LOSS")
    stopped = step.type.startswith(("STOP", "TAKE"))
    return step._replace(price=step.price if priced else Decimal(0), stop=step.stop if stopped else Decimal(0))


def check(exchange: Exchange) -> None:
    ledger = exchange.books.ledger
    total = dict(OWNED)
    for trade in exchange.books.trades:
        sign = 1 if trade.side == "BUY" else -1
        total["BTC"] += sign * trade.qty
        total["USDT"] -= sign * trade.quote
        total[trade.commission_asset] -= trade.commission
    assert ledger.total == total
    assert all(ledger.free(asset) >= 0 for asset in total)
    open_keys = {order.hold_key for order in exchange.books.open_orders()}
    assert set(ledger.holds) <= open_keys
    for order in exchange.books.orders.values():
        assert order.filled == sum((trade.qty for trade in order.trades), Decimal(0)) <= order.qty
        assert (order.status == "FILLED") == (order.leaves == 0)
