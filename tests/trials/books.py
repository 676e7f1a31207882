"""After a trial: what the venue has on its books against what the session's facts say."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

from shared.schemas.identity import order_of_leg
from shared.schemas.values import Side
from tests.trials.record import Record
from tests.venues.binance.books import Books
from tests.venues.binance.symbols import Symbol


def differences(
    record: Record, books: Books, symbols: Mapping[str, Symbol], funded: Mapping[str, Decimal]
) -> list[str]:
    """Each difference in words; none where all is the same to the last digit."""
    return [
        *_doubled(books),
        *_foreign(record, books),
        *_open(record, books),
        *_fills(record, books),
        *_balances(record, books, symbols, funded),
    ]


def _doubled(books: Books) -> Iterator[str]:
    placed = Counter(order.wanted.client_id for order in books.orders.values())
    yield from (f"{name} was placed {count} times" for name, count in placed.items() if count > 1)


def _foreign(record: Record, books: Books) -> Iterator[str]:
    for order in books.orders.values():
        ticket = record.tickets.get(order_of_leg(order.wanted.client_id))
        if ticket is None:
            yield f"{order.wanted.client_id} was placed and never intended"
        elif ticket.qty != order.wanted.qty:
            yield f"{order.wanted.client_id} was placed with {order.wanted.qty}, intended with {ticket.qty}"


def _open(record: Record, books: Books) -> Iterator[str]:
    yield from (f"{order.wanted.client_id} is open at the venue" for order in books.open_orders())
    yield from (f"{name} is {stage} in our books" for name, stage in record.stages.items())


def _fills(record: Record, books: Books) -> Iterator[str]:
    names = {order.id: order_of_leg(order.wanted.client_id) for order in books.orders.values()}
    theirs = Counter(
        (names[trade.order_id], str(trade.id), trade.qty, trade.price, trade.commission, trade.commission_asset)
        for trade in books.trades
    )
    ours = Counter(
        (fill.client_order_id, fill.trade_id, fill.qty, fill.price, fill.fee, fill.fee_asset) for fill in record.fills
    )
    yield from (f"the venue filled {fill}, and we missed it" for fill in theirs - ours)
    yield from (f"we told {fill}, which the venue does not know" for fill in ours - theirs)


def _balances(
    record: Record, books: Books, symbols: Mapping[str, Symbol], funded: Mapping[str, Decimal]
) -> Iterator[str]:
    moved: dict[str, Decimal] = {asset: Decimal(amount) for asset, amount in funded.items()}
    for fill in record.fills:
        rules = symbols[fill.symbol]
        sign = 1 if fill.side is Side.BUY else -1
        moved[rules.base] = moved.get(rules.base, Decimal(0)) + sign * fill.qty
        moved[rules.quote] = moved.get(rules.quote, Decimal(0)) - sign * fill.qty * fill.price
        moved[fill.fee_asset] = moved.get(fill.fee_asset, Decimal(0)) - fill.fee
    for asset in {*moved, *books.ledger.total}:
        theirs = books.ledger.total.get(asset, Decimal(0))
        if moved.get(asset, Decimal(0)) != theirs:
            yield f"{asset}: the venue has {theirs}, our fills make it {moved.get(asset, Decimal(0))}"
