"""What the simulated exchange knows: its rules, the account and the orders, all frozen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

from shared.domain.replacing import often_replaced
from shared.schemas.orders import Holding, OrderState, Ticket, VenueAccount
from shared.schemas.session import Instrument, Paper, SessionConfig
from shared.schemas.trusted import trusted
from shared.schemas.values import OrderType, Side
from shared.venues.paper.archive import Archive

Status = Literal["accepted", "rejected", "cancelled", "expired", "filled", "partially_filled"]


class Stage(StrEnum):
    """How far an order has come: its trigger not reached, live but met by no bar yet, or met by a bar before.

    A list waits as its stop does; it is `taking` once its take-profit has begun to fill, which ends the stop.
    """

    WAITING = "waiting"
    ARRIVING = "arriving"
    RESTING = "resting"
    TAKING = "taking"


@often_replaced
class Working(NamedTuple):
    """An order on the book. `number` is its place in order of arrival, the first is 1.

    It is live from `active_at` on. `expires_at` is set for a day order once the first bar has met it.
    """

    ticket: Ticket
    number: int
    active_at: datetime
    stage: Stage
    filled: Decimal = Decimal(0)
    expires_at: datetime | None = None

    @property
    def leaves(self) -> Decimal:
        """What is still to be filled."""
        return self.ticket.qty - self.filled

    @property
    def direction(self) -> int:
        """1 for a buy, whose trigger lies above; -1 for a sell."""
        return 1 if self.ticket.side is Side.BUY else -1

    @property
    def limit(self) -> Decimal | None:
        """The price that it must not fill worse than; None when it takes any."""
        if self.stage is Stage.TAKING:
            return self.ticket.take_profit
        return self.ticket.price if self.ticket.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None

    @property
    def trigger(self) -> Decimal | None:
        """The price that it still waits for; None when it is live."""
        return self.ticket.stop_price if self.stage is Stage.WAITING else None

    @property
    def target(self) -> Decimal | None:
        """The price at which the list's other order would fill; None where there is none, or it has begun to."""
        return self.ticket.take_profit if self.stage is Stage.WAITING and self.ticket.is_list else None


@dataclass(frozen=True, slots=True)
class Rules:
    """What the session file says about the venue. `time_zone` is where a day order's day ends at midnight."""

    paper: Paper
    instruments: Mapping[str, Instrument]
    quote: str
    time_zone: str


@often_replaced
class Book(NamedTuple):
    """The exchange with one spot account: `cash` of the quote currency and `holdings` of symbols, none below zero.

    `working` maps client order ids to orders in order of arrival, `done` to the last state of those that are gone.
    `orders` and `trades` count what was submitted and executed.
    """

    rules: Rules
    cash: Decimal
    holdings: Mapping[str, Decimal] = MappingProxyType({})
    working: Mapping[str, Working] = MappingProxyType({})
    done: Archive[OrderState] = Archive()
    orders: int = 0
    trades: int = 0


def opened(config: SessionConfig) -> Book:
    """An empty book with the session's initial capital; ValueError where slippage could take the whole price."""
    paper = config.paper
    if paper.slippage + paper.slippage_jitter >= 1:
        raise ValueError("paper.slippage and paper.slippage_jitter add up to 1 or more; write shares, 0.0005 is 0.05 %")
    instruments = {symbol: config.instrument_of(symbol) for symbol in config.symbols}
    return Book(Rules(paper, instruments, config.quote, config.schedule.time_zone), cash=config.initial_capital)


def account(book: Book) -> VenueAccount:
    """What the exchange shows: open orders in order of arrival, holdings above zero by symbol."""
    holdings = (Holding(symbol=symbol, qty=qty) for symbol, qty in sorted(book.holdings.items()) if qty > 0)
    return VenueAccount(open_orders=tuple(book.working), holdings=tuple(holdings))


def order(book: Book, client_order_id: str) -> OrderState | None:
    """The order's state, working or done; None when the exchange has never seen that name."""
    working = book.working.get(client_order_id)
    return state_of(working) if working else book.done.get(client_order_id)


def state_of(working: Working, status: Status | None = None) -> OrderState:
    """The order as the exchange shows it, with `status` or that of a working order."""
    ticket = working.ticket
    shown = {
        "client_order_id": ticket.client_order_id,
        "strategy": ticket.strategy,
        "symbol": ticket.symbol,
        "side": ticket.side,
        "qty": ticket.qty,
        "price": ticket.price,
        "status": status or ("partially_filled" if working.filled else "accepted"),
        "filled_qty": working.filled,
        "venue_order_id": venue_order_id(working),
    }
    return trusted(OrderState, shown)


def venue_order_id(working: Working) -> str:
    """The exchange's own name for the order."""
    return f"paper-{working.number}"


def with_working(book: Book, working: Working) -> Book:
    """The book with the order put on it, or put in place of its former self."""
    return book._replace(working={**book.working, working.ticket.client_order_id: working})


def without(book: Book, working: Working, status: Status) -> Book:
    """The book with the order taken off it and filed as done."""
    name = working.ticket.client_order_id
    rest = {key: other for key, other in book.working.items() if key != name}
    return book._replace(working=rest, done=book.done.with_entry(name, state_of(working, status)))


def working_on(book: Book, symbol: str, side: Side) -> Iterator[Working]:
    """The working orders of one side of one symbol."""
    return (w for w in book.working.values() if w.ticket.symbol == symbol and w.ticket.side is side)
