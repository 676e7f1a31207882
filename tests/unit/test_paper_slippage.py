"""Slippage with seeded noise."""

from decimal import Decimal
from typing import Any

import pytest

from shared.schemas.orders import Ticket
from shared.schemas.values import Side
from shared.venues.paper.pricing import noise, on_tick
from tests.venues.paper_orders import MINUTE, START, bar, book, buy, only_fill, run, sell, submitted

QUIET = "100 101 99 100"


def price_of(order: Ticket, **paper: Any) -> Decimal:
    before = submitted(book("1", paper=paper), order)
    return only_fill(run(before, bar(QUIET))[1]).price


def test_slippage_works_against_the_order() -> None:
    assert price_of(buy(), slippage="0.001") == Decimal("100.1")
    assert price_of(sell(), slippage="0.001") == Decimal("99.9")


def test_a_slipped_price_is_rounded_to_the_tick_against_the_order() -> None:
    assert price_of(buy(), slippage="0.00001") == Decimal("100.01")
    assert price_of(sell(), slippage="0.00001") == Decimal("99.99")


def test_a_price_that_would_round_to_nothing_is_left_as_it_is() -> None:
    assert on_tick(Decimal("0.004"), Side.SELL, Decimal("0.01")) == Decimal("0.004")


@pytest.mark.parametrize("seed", range(12))
def test_jitter_moves_the_slippage_by_at_most_itself(seed: int) -> None:
    jittered = price_of(buy(), slippage="0.002", slippage_jitter="0.001", seed=seed)
    assert Decimal("100.1") <= jittered <= Decimal("100.3")


def test_jitter_never_improves_the_price() -> None:
    prices = [price_of(buy(), slippage_jitter="0.01", seed=seed) for seed in range(24)]
    assert min(prices) == 100
    assert max(prices) > 100


def test_another_seed_gives_another_price() -> None:
    assert len({price_of(buy(), slippage="0.01", slippage_jitter="0.01", seed=seed) for seed in range(8)}) > 4


def test_orders_with_other_names_but_the_same_particulars_are_filled_alike() -> None:
    paper: dict[str, Any] = {"slippage": "0.01", "slippage_jitter": "0.01"}
    assert price_of(buy(name="lt-one"), **paper) == price_of(buy(name="lt-two"), **paper)


def test_noise_depends_on_value_and_not_on_notation() -> None:
    one, same = (submitted(book(), buy(qty, name="a")).working["a"] for qty in ("1", "1.000"))
    assert noise(1, one, START + MINUTE) == noise(1, same, START + MINUTE)


def test_noise_spreads_over_minus_one_to_one() -> None:
    order = submitted(book(), buy(name="a")).working["a"]
    drawn = [noise(1, order, START + minute * MINUTE) for minute in range(400)]
    assert -1 <= min(drawn) < Decimal("-0.9")
    assert Decimal("0.9") < max(drawn) <= 1
    assert abs(sum(drawn, Decimal(0))) / 400 < Decimal("0.1")
