"""Prices and quantities as a venue takes them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.runner.core.fitting import fitted, mispriced, to_step, too_small
from shared.schemas.session import Instrument

RULES = Instrument(
    tick_size=Decimal("0.01"),
    lot_step=Decimal("0.001"),
    min_qty=Decimal("0.001"),
    min_notional=Decimal(5),
    max_qty=Decimal(100),
    market_max_qty=Decimal(50),
    max_notional=Decimal(9000),
    min_price=Decimal("0.01"),
    max_price=Decimal(1000),
    band_down=Decimal("0.8"),
    band_up=Decimal("1.2"),
)
quantities = st.decimals("0", "10000", places=8)
prices = st.decimals("0.01", "1000", places=2)


@given(quantities, prices, st.booleans())
def test_a_fitted_quantity_passes_every_filter_but_the_minimums(qty: Decimal, price: Decimal, market: bool) -> None:
    found = fitted(RULES, qty, price, market=market)
    assert found <= qty
    assert found % RULES.lot_step == 0
    assert found <= (RULES.market_max_qty if market else RULES.max_qty)
    assert found * price <= RULES.max_notional


@given(quantities, prices)
def test_a_quantity_that_fits_already_stays_as_it_is(qty: Decimal, price: Decimal) -> None:
    once = fitted(RULES, qty, price, market=True)
    assert fitted(RULES, once, price, market=True) == once


def test_what_can_not_be_fitted_is_named_by_its_filter() -> None:
    assert (too_small(RULES, Decimal(0), Decimal(1)) or "").startswith("LOT_SIZE")
    assert (too_small(RULES, Decimal("0.0005"), Decimal(1)) or "").startswith("LOT_SIZE")
    assert (too_small(RULES, Decimal(1), Decimal(4)) or "").startswith("NOTIONAL")
    assert (mispriced(RULES, Decimal("0.001"), Decimal(1)) or "").startswith("PRICE_FILTER")
    assert (mispriced(RULES, Decimal(1001), Decimal(1000)) or "").startswith("PRICE_FILTER")
    assert (mispriced(RULES, Decimal(79), Decimal(100)) or "").startswith("PERCENT_PRICE_BY_SIDE")
    assert (mispriced(RULES, Decimal(121), Decimal(100)) or "").startswith("PERCENT_PRICE_BY_SIDE")


def test_rules_that_are_turned_off_forbid_nothing() -> None:
    free = Instrument(tick_size=Decimal(0), lot_step=Decimal(0))
    assert fitted(free, Decimal("1e9"), Decimal(1), market=True) == Decimal("1e9")
    assert mispriced(free, Decimal("1e-9"), Decimal("1e9")) is None
    assert to_step(Decimal("1.23"), Decimal(0)) == Decimal("1.23")
