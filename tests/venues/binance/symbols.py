"""A symbol's rules: what `exchangeInfo` publishes and by what orders are refused."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.venues.binance.amounts import ZERO, text
from tests.venues.binance.orders import MARKETS, STOPS, TYPES, Order, Wanted
from tests.venues.binance.refusal import Refusal, filter_failure, rejected


@dataclass
class Symbol:
    """Tests may change any of it at any time. A zero step, tick, minimum or maximum turns that rule off."""

    base: str
    quote: str
    tick: Decimal = Decimal("0.01")
    min_price: Decimal = Decimal("0.01")
    max_price: Decimal = Decimal(1000000)
    step: Decimal = Decimal("0.00001")
    min_qty: Decimal = Decimal("0.00001")
    max_qty: Decimal = Decimal(9000)
    market_step: Decimal = ZERO
    market_max_qty: Decimal = Decimal(120)
    min_notional: Decimal = Decimal(5)
    max_notional: Decimal = Decimal(9000000)
    min_to_market: bool = True
    max_to_market: bool = False
    up: Decimal = Decimal(5)
    down: Decimal = Decimal("0.2")
    max_orders: int = 200
    max_algo_orders: int = 5
    max_position: Decimal = ZERO
    status: str = "TRADING"
    types: tuple[str, ...] = tuple(TYPES)
    oco: bool = True
    liquidity: Decimal | None = None
    """What may be traded on each side until the next price; None for as much as one likes."""

    @property
    def name(self) -> str:
        """The venue's name for it."""
        return self.base + self.quote

    def filters(self) -> list[dict[str, Any]]:
        """The filters as published."""
        found: list[dict[str, Any]] = [
            _named("PRICE_FILTER", minPrice=self.min_price, maxPrice=self.max_price, tickSize=self.tick),
            _named("LOT_SIZE", minQty=self.min_qty, maxQty=self.max_qty, stepSize=self.step),
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            _named("MARKET_LOT_SIZE", minQty=ZERO, maxQty=self.market_max_qty, stepSize=self.market_step),
            {
                "filterType": "TRAILING_DELTA",
                "minTrailingAboveDelta": 10,
                "maxTrailingAboveDelta": 2000,
                "minTrailingBelowDelta": 10,
                "maxTrailingBelowDelta": 2000,
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": f"{self.up:f}",
                "bidMultiplierDown": f"{self.down:f}",
                "askMultiplierUp": f"{self.up:f}",
                "askMultiplierDown": f"{self.down:f}",
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": text(self.min_notional),
                "applyMinToMarket": self.min_to_market,
                "maxNotional": text(self.max_notional),
                "applyMaxToMarket": self.max_to_market,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": self.max_orders},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": self.max_algo_orders},
        ]
        if self.max_position:
            found.append(_named("MAX_POSITION", maxPosition=self.max_position))
        return found

    def info(self) -> dict[str, Any]:
        """The symbol as `exchangeInfo` tells of it."""
        return {
            "symbol": self.name,
            "status": self.status,
            "baseAsset": self.base,
            "baseAssetPrecision": 8,
            "quoteAsset": self.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8,
            "quoteCommissionPrecision": 8,
            "orderTypes": list(self.types),
            "icebergAllowed": False,
            "ocoAllowed": self.oco,
            "otoAllowed": False,
            "opoAllowed": False,
            "quoteOrderQtyMarketAllowed": True,
            "allowTrailingStop": False,
            "cancelReplaceAllowed": True,
            "amendAllowed": False,
            "pegInstructionsAllowed": False,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": self.filters(),
            "permissions": [],
            "permissionSets": [["SPOT"]],
            "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
            "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
        }

    def check(self, wanted: Wanted, average: Decimal, open_orders: list[Order], owned: Decimal) -> None:
        """Refuse what a filter forbids.

        `average` is the average price by which market orders are valued, `open_orders` are the account's on this
        symbol, `owned` is its balance of the base asset.
        """
        if self.status != "TRADING":
            raise Refusal(-1013, "Market is closed.")
        if wanted.type not in self.types:
            raise rejected(f"{wanted.type.replace('_', ' ').capitalize()} orders are not supported for this symbol.")
        for price in (wanted.price, wanted.stop):
            self._check_price(price)
        self._check_percent(wanted, average)
        if wanted.qty:
            self._check_qty(wanted)
        self._check_notional(wanted, average)
        self._check_counts(wanted, open_orders)
        coming = sum((order.leaves for order in open_orders if order.wanted.buys), ZERO)
        if self.max_position and wanted.buys and owned + coming + wanted.qty > self.max_position:
            raise filter_failure("MAX_POSITION")

    def _check_price(self, price: Decimal) -> None:
        if price == 0:
            return
        below = self.min_price and price < self.min_price
        above = self.max_price and price > self.max_price
        if below or above or (self.tick and price % self.tick):
            raise filter_failure("PRICE_FILTER")

    def _check_percent(self, wanted: Wanted, average: Decimal) -> None:
        if wanted.price and average and not average * self.down <= wanted.price <= average * self.up:
            raise filter_failure("PERCENT_PRICE_BY_SIDE")

    def _check_qty(self, wanted: Wanted) -> None:
        qty = wanted.qty
        if qty < self.min_qty or (self.max_qty and qty > self.max_qty) or (self.step and qty % self.step):
            raise filter_failure("LOT_SIZE")
        if wanted.type not in MARKETS:
            return
        if (self.market_max_qty and qty > self.market_max_qty) or (self.market_step and qty % self.market_step):
            raise filter_failure("MARKET_LOT_SIZE")

    def _check_notional(self, wanted: Wanted, average: Decimal) -> None:
        market = wanted.type in MARKETS
        value = wanted.quote_qty or wanted.qty * (wanted.price or average)
        if value < self.min_notional and (self.min_to_market or not market):
            raise filter_failure("NOTIONAL")
        if self.max_notional and value > self.max_notional and (self.max_to_market or not market):
            raise filter_failure("NOTIONAL")

    def _check_counts(self, wanted: Wanted, open_orders: list[Order]) -> None:
        if wanted.type == "MARKET":
            return
        if len(open_orders) >= self.max_orders:
            raise filter_failure("MAX_NUM_ORDERS")
        algo = sum(order.wanted.type in STOPS for order in open_orders)
        if wanted.type in STOPS and algo >= self.max_algo_orders:
            raise filter_failure("MAX_NUM_ALGO_ORDERS")


def _named(kind: str, **amounts: Decimal) -> dict[str, Any]:
    return {"filterType": kind} | {name: text(amount) for name, amount in amounts.items()}
