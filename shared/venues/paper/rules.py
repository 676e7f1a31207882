"""What an order must satisfy to be taken on: one function a rule, answering why not, or None."""

from collections.abc import Callable
from decimal import Decimal

from shared.schemas.orders import Ticket
from shared.schemas.session import Instrument
from shared.schemas.values import OrderType, Side, plain
from shared.venues.paper.book import Book, Working, working_on

Rule = Callable[[Book, Ticket, Instrument], str | None]


def objection(book: Book, ticket: Ticket) -> str | None:
    """The first rule that the ticket breaks, in words; None when the exchange takes it on."""
    instrument = book.rules.instruments.get(ticket.symbol)
    if instrument is None:
        return f"unknown symbol {ticket.symbol}; this session trades {', '.join(book.rules.instruments)}"
    for rule in RULES:
        if reason := rule(book, ticket, instrument):
            return reason
    return None


def _new_name(book: Book, ticket: Ticket, _: Instrument) -> str | None:
    name = ticket.client_order_id
    return f"duplicate client order id {name}" if name in book.working or name in book.done else None


def _prices_of_its_type(_: Book, ticket: Ticket, __: Instrument) -> str | None:
    if ticket.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) and ticket.price is None:
        return f"a {ticket.type} order needs a price"
    if ticket.type in (OrderType.STOP, OrderType.STOP_LIMIT) and ticket.stop_price is None:
        return f"a {ticket.type} order needs a stop price"
    return None


def _on_both_sides(_: Book, ticket: Ticket, __: Instrument) -> str | None:
    if not ticket.is_list or ticket.stop_price is None or ticket.take_profit is None:
        return None
    if ticket.stop_price < ticket.reference_price < ticket.take_profit:
        return None
    last = plain(ticket.reference_price)
    return f"a list's prices {plain(ticket.stop_price)} and {plain(ticket.take_profit)} must have {last} between them"


def _quantity(_: Book, ticket: Ticket, instrument: Instrument) -> str | None:
    if not ticket.qty:
        return "the quantity is zero"
    if instrument.lot_step and ticket.qty % instrument.lot_step:
        return f"quantity {plain(ticket.qty)} is no multiple of the lot step {plain(instrument.lot_step)}"
    if ticket.qty < instrument.min_qty:
        return f"quantity {plain(ticket.qty)} is below the minimum of {plain(instrument.min_qty)}"
    return None


def _ticks(_: Book, ticket: Ticket, instrument: Instrument) -> str | None:
    for price in (ticket.price, ticket.stop_price, ticket.take_profit if ticket.is_list else None):
        if price is not None and instrument.tick_size and price % instrument.tick_size:
            return f"price {plain(price)} is no multiple of the tick size {plain(instrument.tick_size)}"
    return None


def _notional(_: Book, ticket: Ticket, instrument: Instrument) -> str | None:
    notional = ticket.qty * expected_price(ticket)
    if notional < instrument.min_notional:
        return f"notional {plain(notional)} is below the minimum of {plain(instrument.min_notional)}"
    return None


def _reduces(_: Book, ticket: Ticket, __: Instrument) -> str | None:
    if ticket.reduce_only and ticket.side is Side.BUY:
        return "a reduce-only buy reduces nothing: the account holds no short positions"
    return None


def _holdings(book: Book, ticket: Ticket, _: Instrument) -> str | None:
    if ticket.side is Side.BUY:
        return None
    held = book.holdings.get(ticket.symbol, Decimal(0))
    free = held - sum(w.leaves for w in working_on(book, ticket.symbol, Side.SELL))
    if ticket.qty > free:
        return f"insufficient balance: {plain(held)} {ticket.symbol} held, {plain(free)} of it free"
    return None


def _funds(book: Book, ticket: Ticket, _: Instrument) -> str | None:
    if ticket.side is Side.SELL:
        return None
    needed, free = _cost(book, ticket, ticket.qty), free_cash(book)
    if needed > free:
        return f"insufficient balance: {plain(needed)} {book.rules.quote} needed, {plain(free)} free"
    return None


def free_cash(book: Book) -> Decimal:
    """Cash less what working buys will need, plus what market sells that are on their way are expected to bring."""
    if not book.working:
        return book.cash
    return book.cash + sum((_claim(book, working) for working in book.working.values()), Decimal(0))


def _claim(book: Book, working: Working) -> Decimal:
    ticket = working.ticket
    if ticket.side is Side.BUY:
        return -_cost(book, ticket, working.leaves)
    if ticket.type is OrderType.MARKET:
        return working.leaves * ticket.reference_price * (1 - book.rules.paper.taker_fee)
    return Decimal(0)


def _cost(book: Book, ticket: Ticket, qty: Decimal) -> Decimal:
    fee = max(book.rules.paper.taker_fee, book.rules.paper.maker_fee)
    return qty * expected_price(ticket) * (1 + fee)


def expected_price(ticket: Ticket) -> Decimal:
    """The price to reckon with before anything is filled: the limit, else the trigger, else the last price known."""
    return ticket.price or ticket.stop_price or ticket.reference_price


RULES: tuple[Rule, ...] = (
    _new_name,
    _prices_of_its_type,
    _on_both_sides,
    _quantity,
    _ticks,
    _notional,
    _reduces,
    _holdings,
    _funds,
)
