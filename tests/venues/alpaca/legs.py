"""The orders that belong together: a first one, and those that wait for it or stand beside it."""

from collections.abc import Callable
from dataclasses import replace

from tests.venues.alpaca.orders import Terms


def first_of(terms: Terms) -> Terms:
    """The order that enters the market first."""
    return replace(terms, limit_price=terms.take_profit) if terms.order_class == "oco" else terms


def legs_of(terms: Terms, fresh: Callable[[], str]) -> list[Terms]:
    """The orders that wait for the first, or stand beside it."""
    if terms.order_class == "simple":
        return []
    exit_side = "sell" if terms.side == "buy" else "buy"
    side = terms.side if terms.order_class == "oco" else exit_side
    plain = replace(terms, side=side, take_profit=None, stop_loss=None, stop_loss_limit=None, stop_price=None)
    legs = []
    if terms.take_profit is not None and terms.order_class != "oco":
        legs.append(replace(plain, client_order_id=fresh(), type="limit", limit_price=terms.take_profit))
    if terms.stop_loss is not None:
        kind = "stop" if terms.stop_loss_limit is None else "stop_limit"
        stop = replace(plain, client_order_id=fresh(), type=kind, stop_price=terms.stop_loss)
        legs.append(replace(stop, limit_price=terms.stop_loss_limit))
    return legs
