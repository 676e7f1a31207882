"""An order in flight."""

from decimal import Decimal
from typing import Literal, NamedTuple

from shared.domain.portfolio import Key
from shared.domain.replacing import often_replaced
from shared.schemas.orders import OrderApproved, OrderReleased, OrderState, OrderStatus, Ticket

Stage = Literal["intended", "approved", "submitted", "working", "unknown"]


@often_replaced
class Order(NamedTuple):
    """An order in flight. `bars` counts the slices since it was intended, `trades` are the executions told so far.

    One that is `unknown` was sent, and the venue has yet to show whether it arrived. `revived` counts how often it was
    taken for gone and came back. A list is `taking` once its take-profit has begun to fill.
    """

    ticket: Ticket
    stage: Stage
    intent_id: str
    correlation_id: str
    filled_qty: Decimal = Decimal(0)
    approval: OrderApproved | OrderReleased | None = None
    venue_order_id: str | None = None
    bars: int = 0
    trades: frozenset[str] = frozenset()
    revived: int = 0
    taking: bool = False

    @property
    def key(self) -> Key:
        """The sleeve and symbol that the order belongs to."""
        return (self.ticket.strategy, self.ticket.symbol)

    def shown(self, status: OrderStatus, venue_order_id: str | None = None) -> OrderState:
        """The order as a fact tells it, with what has filled so far."""
        ticket = self.ticket
        return OrderState(
            client_order_id=ticket.client_order_id,
            strategy=ticket.strategy,
            symbol=ticket.symbol,
            side=ticket.side,
            qty=ticket.qty,
            price=ticket.price,
            status=status,
            filled_qty=self.filled_qty,
            venue_order_id=venue_order_id or self.venue_order_id,
        )
