"""Reads an order from a request's parameters, and refuses what the venue's documents refuse."""

import re
from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from tests.venues.binance.amounts import ATOM, ZERO
from tests.venues.binance.orders import MARKETS, STOPS, TYPES, Wanted
from tests.venues.binance.refusal import LEGAL_ID, LEGAL_NUMBER, LEGAL_WHOLE, Refusal, illegal, missing, not_wanted
from tests.venues.binance.symbols import Symbol

Parameters = Mapping[str, str]
SIGNED = {"timestamp", "recvWindow", "signature"}
ORDER = {
    "symbol",
    "side",
    "type",
    "timeInForce",
    "quantity",
    "quoteOrderQty",
    "price",
    "newClientOrderId",
    "stopPrice",
    "newOrderRespType",
    "selfTradePreventionMode",
    "strategyId",
    "strategyType",
}


def only(parameters: Parameters, *names: str) -> None:
    """Refuse parameters that nobody reads."""
    read = sum(name in names or name in SIGNED for name in parameters)
    if read < len(parameters):
        sent = len(parameters)
        raise Refusal(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")


def needed(parameters: Parameters, name: str) -> str:
    """The value of a mandatory parameter."""
    if not parameters.get(name):
        raise missing(name)
    return parameters[name]


def symbol_of(parameters: Parameters, symbols: Mapping[str, Symbol]) -> str:
    """The symbol's name."""
    name = needed(parameters, "symbol")
    if not re.match(r"^[A-Z0-9-_.]{1,20}$", name):
        raise illegal("symbol", r"^[A-Z0-9-_.]{1,20}$")
    if name not in symbols:
        raise Refusal(-1121, "Invalid symbol.")
    return name


def whole(parameters: Parameters, name: str) -> int | None:
    """A whole number, None where it was not sent."""
    value = parameters.get(name)
    if value is None:
        return None
    if not re.match(LEGAL_WHOLE, value):
        raise illegal(name, LEGAL_WHOLE)
    return int(value)


def client_id_of(parameters: Parameters, name: str, made: str) -> str:
    """The client's id for an order; `made` where there is none."""
    if name not in parameters:
        return made
    if not re.match(LEGAL_ID, parameters[name]):
        raise illegal(name, LEGAL_ID)
    return parameters[name]


def number(parameters: Parameters, name: str) -> Decimal:
    """A decimal number above zero; zero where it was not sent."""
    value = parameters.get(name)
    if value is None:
        return ZERO
    if not value:
        raise missing(name)
    if not re.match(LEGAL_NUMBER, value):
        raise illegal(name, LEGAL_NUMBER)
    amount = Decimal(value)
    if amount % ATOM:
        raise Refusal(-1111, f"Parameter '{name}' has too much precision.")
    if amount == 0:
        raise Refusal(-1013, f"Invalid {name.removeprefix('above').removeprefix('below').lower()}.")
    return amount


def made_id(number: int) -> str:
    """The id that the venue makes where the client sent none; the same for the same number."""
    return UUID(int=number).hex[-22:]


def wanted_of(parameters: Parameters, symbols: Mapping[str, Symbol], made: str) -> Wanted:
    """The order that the parameters ask for; `made` is its id where the client has none."""
    symbol = symbol_of(parameters, symbols)
    side, kind = needed(parameters, "side"), needed(parameters, "type")
    if side not in ("BUY", "SELL"):
        raise Refusal(-1117, "Invalid side.")
    if kind not in TYPES:
        raise Refusal(-1116, "Invalid orderType.")
    qty, quote_qty = _quantities(parameters, kind)
    return Wanted(
        symbol,
        side,
        kind,
        client_id_of(parameters, "newClientOrderId", made),
        qty,
        quote_qty,
        _taken_or_not(parameters, "price", kind not in MARKETS),
        _taken_or_not(parameters, "stopPrice", kind in STOPS),
        _time_in_force(parameters, kind),
    )


def _quantities(parameters: Parameters, kind: str) -> tuple[Decimal, Decimal]:
    qty, quote_qty = number(parameters, "quantity"), number(parameters, "quoteOrderQty")
    if kind != "MARKET":
        if quote_qty:
            raise not_wanted("quoteOrderQty")
        needed(parameters, "quantity")
    elif qty and quote_qty:
        raise Refusal(-1128, "Combination of optional parameters invalid.")
    elif not qty and not quote_qty:
        raise Refusal(-1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!")
    return qty, quote_qty


def _taken_or_not(parameters: Parameters, name: str, wanted: bool) -> Decimal:
    if wanted:
        needed(parameters, name)
    elif name in parameters:
        raise not_wanted(name)
    return number(parameters, name)


def _time_in_force(parameters: Parameters, kind: str) -> str:
    if kind in MARKETS or kind == "LIMIT_MAKER":
        if "timeInForce" in parameters:
            raise not_wanted("timeInForce")
        return "GTC"
    value = needed(parameters, "timeInForce")
    if value not in ("GTC", "IOC", "FOK"):
        raise Refusal(-1115, "Invalid timeInForce.")
    return value
