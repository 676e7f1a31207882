"""Facts as rows of the tables events, fills, trades, equity and shadow_equity, in the order of their columns."""

from datetime import datetime
from decimal import Decimal

from services.recorder.core.ledger import Entry
from shared.domain.portfolio import RoundTrip
from shared.schemas.envelope import Event
from shared.schemas.market import EquityMarked, EquityMetrics, ShadowMarked
from shared.schemas.orders import OrderFilled

Cell = str | int | bool | Decimal | datetime | list[str] | None
Row = tuple[Cell, ...]

_ACCOUNT = (
    "sequence", "session_id", "timestamp", "market_time", "equity", "cash", "exposure", "pnl", "fees", "drawdown",
    "max_drawdown", "trades", "wins", "losses",
)  # fmt: skip

COLUMNS: dict[str, tuple[str, ...]] = {
    "events": (
        "sequence", "session_id", "id", "correlation_id", "causation_id", "timestamp", "market_time",
        "service", "type", "phase", "level", "message", "status", "payload",
    ),
    "fills": (
        "sequence", "session_id", "client_order_id", "trade_id", "strategy", "symbol", "side", "qty", "price",
        "fee", "fee_asset", "liquidity", "reference_price", "timestamp", "market_time",
    ),
    "trades": (
        "sequence", "session_id", "strategy", "symbol", "qty", "entry_price", "exit_price",
        "opened_at", "closed_at", "fees", "pnl", "return_ratio",
    ),
    "equity": _ACCOUNT,
    "shadow_equity": _ACCOUNT,
}  # fmt: skip

_NUL, _REPLACEMENT = "\x00", "\ufffd"
_NUL_IN_JSON = "\\u0000"


def text(value: str | None) -> str | None:
    """`value` without the one character that PostgreSQL's text cannot hold."""
    return value.replace(_NUL, _REPLACEMENT) if value else value


def payload(line: bytes) -> str:
    """A fact's JSON as jsonb can hold it."""
    json = line.decode()
    return _without_nul(json) if _NUL_IN_JSON in json else json


def _without_nul(json: str) -> str:
    """Replace escaped NULs; a backslash that is itself escaped does not begin one."""
    whole_backslashes = json.split("\\\\")
    return "\\\\".join(part.replace(_NUL_IN_JSON, _REPLACEMENT) for part in whole_backslashes)


def event_row(sequence: int, line: bytes, event: Event) -> Row:
    """The fact itself."""
    return (
        sequence, event.session_id, event.id, event.correlation_id, event.causation_id, event.timestamp,
        event.market_time, event.service, event.type, event.phase, event.level, text(event.message),
        text(event.status), payload(line),
    )  # fmt: skip


def fill_row(sequence: int, event: OrderFilled) -> Row:
    """One execution."""
    fill = event.order
    return (
        sequence, event.session_id, fill.client_order_id, text(fill.trade_id), text(fill.strategy), fill.symbol,
        fill.side, fill.qty, fill.price, fill.fee, text(fill.fee_asset), fill.liquidity, fill.reference_price,
        event.timestamp, event.market_time,
    )  # fmt: skip


def trade_row(sequence: int, session_id: str, trip: RoundTrip) -> Row:
    """One round trip."""
    return (
        sequence, session_id, text(trip.strategy), trip.symbol, trip.qty, trip.entry_price, trip.exit_price,
        trip.opened_at, trip.closed_at, trip.fees, trip.pnl, trip.return_ratio,
    )  # fmt: skip


def account_row(sequence: int, event: Event, marks: EquityMetrics) -> Row:
    """The account at one bar's close: the session's, or its shadow's."""
    return (
        sequence, event.session_id, event.timestamp, event.market_time, marks.equity, marks.cash, marks.exposure,
        marks.pnl, marks.fees, marks.drawdown, marks.max_drawdown, marks.trades, marks.wins, marks.losses,
    )  # fmt: skip


def rows_of(entry: Entry) -> list[tuple[str, Row]]:
    """The rows that a fact adds, each with its table."""
    sequence, line, event, trip, again = entry
    rows = [("events", event_row(sequence, line, event))]
    if isinstance(event, OrderFilled) and not again:
        rows.append(("fills", fill_row(sequence, event)))
    elif isinstance(event, EquityMarked) and event.service == "runner":
        rows.append(("equity", account_row(sequence, event, event.metrics)))
    elif isinstance(event, ShadowMarked):
        rows.append(("shadow_equity", account_row(sequence, event, event.details)))
    if trip is not None:
        rows.append(("trades", trade_row(sequence, event.session_id, trip)))
    return rows
