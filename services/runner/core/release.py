"""Which orders go on to the venue: those that the guard approved and, while it is silent, those that only reduce.

Without the guard's word nothing new is risked. What brings a position nearer to zero is let go by the runner itself, up
to what the position holds and no other order is about to sell, and told as an event of its own before it is sent.
"""

from decimal import Decimal

from services.runner.core.order import Order
from services.runner.core.state import State
from services.runner.core.telling import Telling
from services.runner.core.todo import obstacle
from shared.domain.portfolio import ZERO
from shared.schemas.orders import OrderApproved, OrderCancelled, OrderReleased, OrderSubmitted, Reason, Release
from shared.schemas.values import Side

NO_NEW_RISK = "the guard is silent, and without its word nothing new is risked"


def is_sent(telling: Telling, event: OrderApproved | OrderReleased) -> bool:
    """Whether the order that may go goes on to the venue: one that stays in flight leaves nothing else to order."""
    order = telling.state.orders.get(event.order.client_order_id)
    if order is None or order.stage != "approved":
        return False
    now = telling.timestamp if telling.state.plan.config.is_live else telling.state.market_time
    reason = obstacle(telling.state, event.order, event.details.expires_at, now)
    if reason is None:
        telling.tell_of(event.order.client_order_id, OrderSubmitted, order=event.order)
        return True
    _tell_unsent(telling, order, reason)
    return False


def release(telling: Telling) -> None:
    """While the guard is silent: judge what still awaits its verdict, so that nothing waits for it."""
    if not telling.state.unguarded:
        return
    for order in tuple(telling.state.orders.values()):
        if order.stage == "intended":
            _judge(telling, order)


def _judge(telling: Telling, order: Order) -> None:
    free = left_to_sell(telling.state, order)
    if not order.ticket.reduce_only or order.ticket.side is not Side.SELL:
        return _tell_unsent(telling, order, NO_NEW_RISK)
    if order.ticket.qty > free:
        return _tell_unsent(telling, order, f"the guard is silent, and no more than {free:f} is held and free")
    expires_at = telling.timestamp + telling.state.plan.config.risk.approval_ttl
    word = Release(intent_id=order.intent_id, expires_at=expires_at, free=free, reason="the guard is silent")
    ticket = order.ticket
    message = f"{ticket.side} {ticket.qty:f} {ticket.symbol} goes without the guard, which is silent: it only reduces"
    telling.tell_of(ticket.client_order_id, OrderReleased, order=ticket, details=word, message=message)
    going = telling.state.orders[ticket.client_order_id].approval
    assert going is not None
    is_sent(telling, going)


def left_to_sell(state: State, order: Order) -> Decimal:
    """Units that the order's sleeve holds of its symbol and that no other order of it is about to sell."""
    others = (
        each for each in state.orders_of(order.key) if each.ticket.client_order_id != order.ticket.client_order_id
    )
    claimed = sum((o.ticket.qty - o.filled_qty for o in others if o.ticket.side is Side.SELL), ZERO)
    return max(state.portfolio.held(*order.key) - claimed, ZERO)


def _tell_unsent(telling: Telling, order: Order, reason: str) -> None:
    unsent = order.shown("expired" if "expired" in reason else "cancelled")
    telling.tell_of(order.ticket.client_order_id, OrderCancelled, order=unsent, details=Reason(reason=reason))
