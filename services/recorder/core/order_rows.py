"""Facts about orders folded into one row an order and batch, to be merged into the table `orders`."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.recorder.core.ledger import Entry
from services.recorder.core.table_rows import text
from shared.domain.replacing import often_replaced
from shared.schemas.envelope import Event
from shared.schemas.orders import Fill, OrderIntended, OrderRefused, OrderState, Ticket

_STATUS_BY_TYPE = {
    "order_intended": "intended",
    "order_approved": "approved",
    "order_refused": "refused",
    "order_released": "released",
    "order_submitted": "submitted",
}
ZERO = Decimal(0)


@often_replaced
class OrderRow(NamedTuple):
    """What a stretch of the stream tells of an order; None leaves a column as it is.

    `filled_qty`, `filled_value` and `fees` are what this stretch adds; `status` is the last one told.
    """

    session_id: str
    client_order_id: str
    sequence: int
    strategy: str | None
    symbol: str
    side: str
    type: str | None
    time_in_force: str | None
    purpose: str | None
    reduce_only: bool | None
    qty: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    reference_price: Decimal | None
    status: str
    rule: str | None
    reason: str | None
    filled_qty: Decimal
    filled_value: Decimal
    fees: Decimal
    venue_order_id: str | None
    intended_at: datetime | None
    market_time: datetime
    updated_at: datetime


def order_rows(entries: Iterable[Entry]) -> list[OrderRow]:
    """One row for each order that `entries` tell of, in the order of their first mention."""
    rows: dict[tuple[str, str], OrderRow] = {}
    for entry in entries:
        told = _row(entry)
        if told is not None:
            key = (told.session_id, told.client_order_id)
            rows[key] = _merged(rows[key], told) if key in rows else told
    return list(rows.values())


def _row(entry: Entry) -> OrderRow | None:
    match entry.event.order:
        case Ticket() as ticket:
            return _of_ticket(entry, ticket)
        case Fill() as fill:
            return _of_fill(entry, fill)
        case OrderState() as state:
            return _of_state(entry, state)
    return None


def _bare(entry: Entry, order: Ticket | Fill | OrderState, status: str) -> OrderRow:
    """The columns that every fact about an order knows."""
    event = entry.event
    return OrderRow(
        session_id=event.session_id,
        client_order_id=order.client_order_id,
        sequence=entry.sequence,
        strategy=text(order.strategy),
        symbol=order.symbol,
        side=order.side.value,
        type=None,
        time_in_force=None,
        purpose=None,
        reduce_only=None,
        qty=order.qty,
        price=None,
        stop_price=None,
        reference_price=None,
        status=status,
        rule=None,
        reason=_reason(event),
        filled_qty=ZERO,
        filled_value=ZERO,
        fees=ZERO,
        venue_order_id=None,
        intended_at=None,
        market_time=event.market_time,
        updated_at=event.timestamp,
    )


def _reason(event: Event) -> str | None:
    if isinstance(event, OrderRefused):
        return text(event.message or event.details.rule)
    return text(getattr(event.details, "reason", None))


def _of_ticket(entry: Entry, ticket: Ticket) -> OrderRow:
    event = entry.event
    return _bare(entry, ticket, _STATUS_BY_TYPE[event.type])._replace(
        type=ticket.type.value,
        time_in_force=ticket.time_in_force.value,
        purpose=ticket.purpose,
        reduce_only=ticket.reduce_only,
        price=ticket.price,
        stop_price=ticket.stop_price,
        reference_price=ticket.reference_price,
        rule=text(event.details.rule) if isinstance(event, OrderRefused) else None,
        intended_at=event.market_time if isinstance(event, OrderIntended) else None,
    )


def _of_fill(entry: Entry, fill: Fill) -> OrderRow:
    if entry.again:
        return _bare(entry, fill, fill.status)._replace(qty=ZERO)
    return _bare(entry, fill, fill.status)._replace(
        qty=ZERO,
        filled_qty=fill.qty,
        filled_value=fill.qty * fill.price,
        fees=fill.fee,
    )


def _of_state(entry: Entry, state: OrderState) -> OrderRow:
    return _bare(entry, state, state.status)._replace(price=state.price, venue_order_id=text(state.venue_order_id))


def _merged(known: OrderRow, told: OrderRow) -> OrderRow:
    """The row after a later fact of the same stretch."""
    return known._replace(
        type=told.type or known.type,
        time_in_force=told.time_in_force or known.time_in_force,
        purpose=told.purpose or known.purpose,
        reduce_only=known.reduce_only if told.reduce_only is None else told.reduce_only,
        qty=max(known.qty, told.qty),
        price=known.price if told.price is None else told.price,
        stop_price=known.stop_price if told.stop_price is None else told.stop_price,
        reference_price=known.reference_price if told.reference_price is None else told.reference_price,
        status=told.status,
        rule=told.rule or known.rule,
        reason=told.reason or known.reason,
        filled_qty=known.filled_qty + told.filled_qty,
        filled_value=known.filled_value + told.filled_value,
        fees=known.fees + told.fees,
        venue_order_id=told.venue_order_id or known.venue_order_id,
        intended_at=known.intended_at or told.intended_at,
        market_time=told.market_time,
        updated_at=told.updated_at,
    )
