"""Alpaca's trading rules of a symbol.

Sources: the Assets of the Trading API reference, "Placing Orders" (two decimals from a dollar on, four below),
"Fractional Trading" (nine decimals, a dollar at least); ten dollars for a pair is what the venue answers to less.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.schemas.session import Instrument
from shared.venues.alpaca.errors import NAME
from shared.venues.alpaca.symbols import is_pair
from shared.venues.trouble import Fate, VenueError

_CENT, _BELOW_A_DOLLAR, _BILLIONTH = Decimal("0.01"), Decimal("0.0001"), Decimal("0.000000001")
_SMALLEST_STOCK_ORDER, _SMALLEST_PAIR_ORDER = Decimal(1), Decimal(10)


def instrument(asset: Mapping[str, Any], last: Decimal | None) -> Instrument:
    """The rules of one asset. A stock's price step hangs on its price, for which the `last` one stands."""
    if is_pair(asset["symbol"]):
        return Instrument(
            tick_size=Decimal(asset["price_increment"]).normalize(),
            lot_step=Decimal(asset["min_trade_increment"]).normalize(),
            min_qty=Decimal(asset["min_order_size"]).normalize(),
            min_notional=_SMALLEST_PAIR_ORDER if "/USD" in asset["symbol"] else Decimal(0),
            has_lists=False,
        )
    fractional = bool(asset.get("fractionable"))
    return Instrument(
        tick_size=_BELOW_A_DOLLAR if last is not None and last < 1 else _CENT,
        lot_step=_BILLIONTH if fractional else Decimal(1),
        min_qty=Decimal(0) if fractional else Decimal(1),
        min_notional=_SMALLEST_STOCK_ORDER,
        has_lists=False,
    )


def check_tradable(asset: Mapping[str, Any]) -> None:
    """VenueError where the asset is not traded."""
    if not asset.get("tradable") or asset.get("status") != "active":
        raise VenueError(NAME, Fate.REFUSED, f"{asset['symbol']} is not traded: {asset.get('status')}")
