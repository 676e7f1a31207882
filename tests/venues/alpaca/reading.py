"""From the JSON of an order to its terms, or to the refusal that the venue documents for it."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.venues.alpaca.assets import Asset
from tests.venues.alpaca.orders import Terms
from tests.venues.alpaca.refusal import MALFORMED, forbidden, unprocessable

LONGEST_ID = 128
EQUITY_TYPES = ("market", "limit", "stop", "stop_limit")
CRYPTO_TYPES = ("market", "limit", "stop_limit")
EQUITY_TIMES = ("day", "gtc", "opg", "cls", "ioc", "fok")
CRYPTO_TIMES = ("gtc", "ioc")
CLASSES = ("simple", "bracket", "oco", "oto")
SMALLEST_NOTIONAL = Decimal(1)


def read_terms(body: Mapping[str, Any], assets: Mapping[str, Asset], fresh_id: str) -> Terms:
    """The terms of a new order; `fresh_id` names it where the caller gives it no name.

    Raises `Refusal` where the venue would.
    """
    client_order_id = body.get("client_order_id") or fresh_id
    if len(client_order_id) > LONGEST_ID:
        raise unprocessable(f"client_order_id must be no more than {LONGEST_ID} characters", MALFORMED)
    terms = Terms(
        client_order_id=client_order_id,
        asset=_asset(body, assets),
        side=_one_of(body, "side", ("buy", "sell")),
        type=_one_of(body, "type", (*EQUITY_TYPES, "trailing_stop")),
        time_in_force=_one_of(body, "time_in_force", EQUITY_TIMES),
        qty=amount(body, "qty"),
        notional=amount(body, "notional"),
        limit_price=amount(body, "limit_price"),
        stop_price=amount(body, "stop_price"),
        extended_hours=bool(body.get("extended_hours")),
        order_class=body.get("order_class") or "simple",
        take_profit=amount(_part(body, "take_profit"), "limit_price"),
        stop_loss=amount(_part(body, "stop_loss"), "stop_price"),
        stop_loss_limit=amount(_part(body, "stop_loss"), "limit_price"),
    )
    check(terms)
    return terms


def check(terms: Terms) -> None:
    """Raise `Refusal` where terms are ones that the venue never takes."""
    if not terms.asset.tradable:
        raise unprocessable(f"asset {terms.asset.symbol} is not active")
    _check_quantity(terms)
    _check_prices(terms)
    if terms.asset.is_crypto:
        _check_crypto(terms)
    else:
        _check_equity(terms)
    _check_class(terms)


def amount(body: Mapping[str, Any], name: str) -> Decimal | None:
    """A positive amount of the request, None where it gives none."""
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        raise unprocessable(f"{name} is not a number", MALFORMED) from None
    if not read.is_finite() or read <= 0:
        raise unprocessable(f"{name} must be > 0", MALFORMED)
    return read


def _asset(body: Mapping[str, Any], assets: Mapping[str, Asset]) -> Asset:
    symbol = body.get("symbol")
    if not symbol:
        raise unprocessable("symbol is required", MALFORMED)
    if symbol not in assets:
        raise unprocessable(f'asset "{symbol}" not found')
    return assets[symbol]


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def _one_of(body: Mapping[str, Any], name: str, values: tuple[str, ...]) -> str:
    value = body.get(name)
    if not value:
        raise unprocessable(f"{name} is required", MALFORMED)
    if value not in values:
        raise unprocessable(f"invalid {name}", MALFORMED)
    return str(value)


def _check_quantity(terms: Terms) -> None:
    if terms.qty is None and terms.notional is None:
        raise unprocessable("qty or notional is required", MALFORMED)
    if terms.qty is not None and terms.notional is not None:
        raise unprocessable("only one of qty or notional is accepted", MALFORMED)
    if terms.notional is not None and terms.notional < SMALLEST_NOTIONAL:
        raise unprocessable("notional amount must be >= 1.00", MALFORMED)
    if terms.notional is not None and terms.notional != round(terms.notional, 2):
        raise unprocessable("notional value must be limited to 2 decimal places", MALFORMED)


def _check_prices(terms: Terms) -> None:
    limited, stopped = terms.type in ("limit", "stop_limit"), terms.type in ("stop", "stop_limit")
    oco = terms.order_class == "oco"
    if limited and terms.limit_price is None and not oco:
        raise unprocessable(f"{terms.type} orders require a limit price", MALFORMED)
    if stopped and terms.stop_price is None:
        raise unprocessable(f"{terms.type} orders require a stop price", MALFORMED)
    if not limited and terms.limit_price is not None:
        raise unprocessable(f"{terms.type} orders must not have a limit_price", MALFORMED)
    if not stopped and terms.stop_price is not None:
        raise unprocessable(f"{terms.type} orders must not have a stop_price", MALFORMED)
    named = {"limit_price": terms.limit_price, "stop_price": terms.stop_price}
    legs = {"take_profit.limit_price": terms.take_profit, "stop_loss.stop_price": terms.stop_loss}
    for name, price in (named | legs | {"stop_loss.limit_price": terms.stop_loss_limit}).items():
        if price is not None and not _on_tick(terms.asset, price):
            raise unprocessable(
                f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria"
            )


def _on_tick(asset: Asset, price: Decimal) -> bool:
    if asset.is_crypto:
        return price % asset.price_increment == 0
    return price == round(price, 2 if price >= 1 else 4)


def _check_crypto(terms: Terms) -> None:
    asset, qty = terms.asset, terms.qty
    if terms.order_class != "simple":
        raise unprocessable("crypto orders not allowed for advanced order_class: " + terms.order_class)
    if terms.type not in CRYPTO_TYPES:
        raise unprocessable("invalid order type for crypto order")
    if terms.time_in_force not in CRYPTO_TIMES:
        raise unprocessable("invalid crypto time_in_force")
    if terms.extended_hours:
        raise unprocessable("extended hours orders are not supported for crypto")
    if qty is not None and qty < asset.min_order_size:
        raise forbidden(f"minimal amount of order is {asset.min_order_size}")
    if qty is not None and qty % asset.min_trade_increment != 0:
        raise unprocessable(f"qty must be a multiple of {asset.min_trade_increment}")


def _check_equity(terms: Terms) -> None:
    if terms.type not in EQUITY_TYPES:
        raise unprocessable("trailing_stop orders are not supported by this server")
    fractional = terms.notional is not None or (terms.qty is not None and terms.qty % 1 != 0)
    if fractional and not terms.asset.fractionable:
        raise forbidden(f'asset "{terms.asset.symbol}" is not fractionable')
    if fractional and terms.time_in_force != "day":
        raise unprocessable("fractional orders must be DAY orders")
    if fractional and terms.order_class != "simple":
        raise unprocessable("fractional orders must be simple orders")
    if terms.extended_hours and (terms.type != "limit" or terms.time_in_force not in ("day", "gtc")):
        raise unprocessable("extended hours order must be DAY or GTC limit orders")
    if terms.time_in_force in ("opg", "cls") and terms.type not in ("market", "limit"):
        raise unprocessable(f"{terms.time_in_force} orders must be market or limit orders")
    if terms.time_in_force in ("ioc", "fok") and terms.type not in ("market", "limit"):
        raise unprocessable(f"{terms.time_in_force} orders must be market or limit orders")


def _check_class(terms: Terms) -> None:
    kind, profit, loss = terms.order_class, terms.take_profit, terms.stop_loss
    if kind not in CLASSES:
        raise unprocessable("invalid order_class", MALFORMED)
    if kind == "simple":
        return
    if terms.time_in_force not in ("day", "gtc"):
        raise unprocessable(f"{kind} orders must be DAY or GTC orders")
    if terms.extended_hours:
        raise unprocessable(f"{kind} orders do not support extended hours")
    if kind in ("bracket", "oco") and profit is None:
        raise unprocessable(f"{kind} orders require take_profit.limit_price", MALFORMED)
    if kind in ("bracket", "oco") and loss is None:
        raise unprocessable(f"{kind} orders require stop_loss.stop_price", MALFORMED)
    if kind == "oto" and (profit is None) == (loss is None):
        raise unprocessable("oto orders require either take_profit or stop_loss", MALFORMED)
    if kind == "oco" and terms.type != "limit":
        raise unprocessable("oco orders must be limit orders", MALFORMED)
    if profit is None or loss is None:
        return
    exits_by_selling = terms.side == ("sell" if kind == "oco" else "buy")
    if exits_by_selling != (profit > loss) or profit == loss:
        raise unprocessable(
            "take_profit.limit_price must be "
            + ("greater" if exits_by_selling else "less")
            + " than stop_loss.stop_price"
        )
