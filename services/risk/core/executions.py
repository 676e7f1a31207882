"""What a venue's words on an order mean for the books, where the guard itself has asked: facts, each told once."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from services.risk.core.backstop import facts_of
from services.risk.core.book import Order
from services.risk.core.state import Guard
from shared.schemas.envelope import Event
from shared.schemas.orders import (
    Fill,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderState,
    OrderStatus,
    Reason,
    Rejection,
)
from shared.venues.words import Executed, Shown, Standing, Word

_ENDS: Mapping[Standing, tuple[type[Event], type[Reason]]] = {
    "cancelled": (OrderCancelled, Reason),
    "expired": (OrderCancelled, Reason),
    "rejected": (OrderRejected, Rejection),
}


def heard(guard: Guard, name: str, words: Sequence[Word], now: datetime) -> Sequence[Event]:
    """The fills of the order that nobody has told, then its end; the latter not before all that it has filled."""
    order = guard.book.known(name)
    return tuple(_facts(guard, order, words, now)) if order is not None else ()


def absent(guard: Guard, name: str, reason: str, now: datetime) -> Sequence[Event]:
    """The end of an own order that is proven never to have arrived."""
    return heard(guard, name, (Shown(name, None, "rejected", Decimal(0), reason),), now)


def _facts(guard: Guard, order: Order, words: Sequence[Word], now: datetime) -> Iterator[Event]:
    ticket, trades = order.ticket, order.trades
    filled = ticket.qty - order.leaves
    for word in words:
        if isinstance(word, Executed) and word.trade_id not in trades:
            filled, trades = filled + word.qty, trades | {word.trade_id}
            facts = facts_of(guard, f"fill:{ticket.symbol}:{word.trade_id}", now)
            facts.tell(OrderFilled, order=_fill(order, word, ticket.qty - filled))
            yield from facts.told
        elif isinstance(word, Shown) and word.standing in _ENDS and word.filled_qty <= filled:
            facts = facts_of(guard, f"end:{ticket.client_order_id}", now)
            kind, why = _ENDS[word.standing]
            reason = why(reason=word.reason or f"the venue shows it {word.standing}, by the guard's own look")
            facts.tell(kind, order=_state(order, word, filled), details=reason)
            yield from facts.told


def _fill(order: Order, word: Executed, leaves: Decimal) -> Fill:
    ticket = order.ticket
    return Fill(
        client_order_id=ticket.client_order_id,
        trade_id=word.trade_id,
        strategy=ticket.strategy,
        symbol=ticket.symbol,
        side=ticket.side,
        qty=word.qty,
        price=word.price,
        fee=word.fee,
        fee_asset=word.fee_asset,
        liquidity=word.liquidity,
        status="partially_filled" if leaves > 0 else "filled",
        leaves_qty=max(leaves, Decimal(0)),
        reference_price=ticket.stop_price or ticket.reference_price,
    )


def _state(order: Order, word: Shown, filled: Decimal) -> OrderState:
    ticket = order.ticket
    status: OrderStatus = "expired" if word.standing == "expired" else "cancelled"
    return OrderState(
        client_order_id=ticket.client_order_id,
        strategy=ticket.strategy,
        symbol=ticket.symbol,
        side=ticket.side,
        qty=ticket.qty,
        price=ticket.price,
        status="rejected" if word.standing == "rejected" else status,
        filled_qty=filled,
        venue_order_id=word.venue_order_id,
    )
