"""Binance's trading rules of a symbol, as `exchangeInfo` tells them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.schemas.session import Instrument


def instrument(told: Mapping[str, Any]) -> Instrument:
    """The rules of one symbol. A filter that is absent, or zero, is turned off."""
    filters = {each["filterType"]: each for each in told["filters"]}
    lot, market_lot = filters.get("LOT_SIZE", {}), filters.get("MARKET_LOT_SIZE", {})
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    price, band = filters.get("PRICE_FILTER", {}), filters.get("PERCENT_PRICE_BY_SIDE", {})
    return Instrument(
        tick_size=_number(price, "tickSize"),
        lot_step=max(_number(lot, "stepSize"), _number(market_lot, "stepSize")),
        min_qty=max(_number(lot, "minQty"), _number(market_lot, "minQty")),
        min_notional=_number(notional, "minNotional"),
        max_qty=_number(lot, "maxQty"),
        market_max_qty=_number(market_lot, "maxQty"),
        max_notional=_number(notional, "maxNotional") if notional.get("applyMaxToMarket", True) else Decimal(0),
        min_price=_number(price, "minPrice"),
        max_price=_number(price, "maxPrice"),
        band_down=max(_number(band, "bidMultiplierDown"), _number(band, "askMultiplierDown")),
        band_up=_narrower(_number(band, "bidMultiplierUp"), _number(band, "askMultiplierUp")),
        max_stops=int(filters.get("MAX_NUM_ALGO_ORDERS", {}).get("maxNumAlgoOrders", 0)),
        has_lists=has_lists(told),
    )


def has_lists(told: Mapping[str, Any]) -> bool:
    """Whether `exchangeInfo` offers lists of which one order cancels the other for the symbol."""
    return told.get("ocoAllowed") is True


def _narrower(one: Decimal, other: Decimal) -> Decimal:
    return min(one, other) if one and other else max(one, other)


def weight_limit(told: Mapping[str, Any]) -> int | None:
    """The weight of requests that `exchangeInfo` allows in a minute; None where it does not tell."""
    for limit in told.get("rateLimits", ()):
        if (limit["rateLimitType"], limit["interval"], limit["intervalNum"]) == ("REQUEST_WEIGHT", "MINUTE", 1):
            return int(limit["limit"])
    return None


def _number(found: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(found.get(name, "0")).normalize() if found else Decimal(0)
