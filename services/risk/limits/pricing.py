"""At which price an order is judged."""

from decimal import Decimal

from shared.schemas.orders import Ticket


def intended_price(ticket: Ticket) -> Decimal:
    """The worst price that the order itself names: its limit, else its trigger, else the price it was decided on."""
    return ticket.price or ticket.stop_price or ticket.reference_price


def highest_price(ticket: Ticket, close: Decimal | None) -> Decimal:
    """The highest of all prices in sight, so that an order is never valued too low."""
    named = (ticket.price, ticket.stop_price, ticket.reference_price, close)
    return max(price for price in named if price is not None)
