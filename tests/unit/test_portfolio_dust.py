"""What is left of a position and too little to be sold."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from shared.domain.portfolio import Portfolio, opened, with_close, with_dust, with_fill
from shared.schemas.orders import Fill
from shared.schemas.values import Side

KEY, AT = ("ema", "BTCUSDT"), datetime(2026, 1, 5, tzinfo=UTC)


def fill(side: str, qty: str, price: str, **fields: Any) -> Fill:
    told = {"client_order_id": "lt-1", "trade_id": "1", "strategy": KEY[0], "symbol": KEY[1], "side": Side(side)}
    more = {
        "qty": Decimal(qty),
        "price": Decimal(price),
        "fee": Decimal(0),
        "fee_asset": "USDT",
        "liquidity": "taker",
        "status": "filled",
    }
    return Fill.model_validate({**told, **more, "leaves_qty": Decimal(0), "reference_price": Decimal(price), **fields})


def traded(account: Portfolio, *fills: Fill) -> Portfolio:
    for each in fills:
        account, _ = with_fill(account, each, AT)
    return account


def bought_and_sold() -> Portfolio:
    """One was bought, a thousandth of it went as the fee, and what could be sold of the rest was sold."""
    bought = fill("buy", "1", "100", fee=Decimal("0.001"), fee_asset="BTC")
    return traded(opened(Decimal(1000), "USDT"), bought, fill("sell", "0.99", "110"))


def test_a_position_that_is_down_to_dust_is_closed_and_its_round_trip_over() -> None:
    account, trip = with_dust(bought_and_sold(), KEY, AT)
    assert not account.positions
    assert account.dust == {KEY: Decimal("0.009")}
    assert trip is not None
    assert (trip.qty, trip.pnl) == (Decimal("0.99"), Decimal("8.9"))
    assert (account.trades, account.wins) == (1, 1)


def test_dust_keeps_its_value() -> None:
    before = bought_and_sold()
    after, _ = with_dust(before, KEY, AT)
    assert after.equity == before.equity
    assert with_close(after, KEY[1], Decimal(200)).equity == Decimal("1008.9") + Decimal("0.009") * 200


def test_the_next_position_takes_the_dust_in() -> None:
    account, _ = with_dust(bought_and_sold(), KEY, AT)
    account = traded(account, fill("buy", "1", "100"))
    assert account.held(*KEY) == Decimal("1.009")
    assert not account.dust
    assert account.positions[KEY].entry_price == 100


def test_a_position_that_never_was_sold_is_no_round_trip() -> None:
    account, trip = with_dust(traded(opened(Decimal(1000), "USDT"), fill("buy", "0.001", "100")), KEY, AT)
    assert trip is None
    assert account.trades == 0


def test_a_fee_in_an_asset_whose_name_the_symbol_only_begins_with_is_not_taken_from_the_units() -> None:
    account = traded(opened(Decimal(1000), "USDT"), fill("buy", "1", "100", fee=Decimal("0.5"), fee_asset="BT"))
    assert account.held(*KEY) == 1
