"""After a trial: what the venue has on its books against what the session's facts say."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from shared.schemas.identity import order_of_leg
from shared.schemas.orders import Fill
from shared.schemas.values import Side
from tests.trials.record import Record


class Placed(NamedTuple):
    """An order that the venue has taken, under the name that we gave it; one of a list's has a name of its own."""

    name: str
    side: str
    qty: Decimal
    is_open: bool


class Traded(NamedTuple):
    """One execution, as the venue booked it."""

    name: str
    trade_id: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str


@dataclass(frozen=True)
class VenueBooks:
    """Everything that a venue has on its books of one account, which began with `funded`.

    `assets_of` answers what an order in a symbol buys and sells, and what it pays with.
    """

    orders: Sequence[Placed]
    trades: Sequence[Traded]
    balances: Mapping[str, Decimal]
    funded: Mapping[str, Decimal]
    assets_of: Callable[[str], tuple[str, str]]

    @property
    def open_orders(self) -> Sequence[str]:
        """The names of the open orders."""
        return [order.name for order in self.orders if order.is_open]


def differences(record: Record, books: VenueBooks) -> list[str]:
    """Each difference in words; none where all is the same to the last digit."""
    return [
        *_doubled(books),
        *_foreign(record, books),
        *_open(record, books),
        *_fills(record, books),
        *_balances(record, books),
    ]


def _doubled(books: VenueBooks) -> Iterator[str]:
    placed = Counter(order.name for order in books.orders)
    yield from (f"{name} was placed {count} times" for name, count in placed.items() if count > 1)


def _foreign(record: Record, books: VenueBooks) -> Iterator[str]:
    for order in books.orders:
        ticket = record.tickets.get(order_of_leg(order.name))
        if ticket is None:
            yield f"{order.name} was placed and never intended"
        elif ticket.qty != order.qty:
            yield f"{order.name} was placed with {order.qty}, intended with {ticket.qty}"


def _open(record: Record, books: VenueBooks) -> Iterator[str]:
    yield from (f"{name} is open at the venue" for name in books.open_orders)
    yield from (f"{name} is {stage} in our books" for name, stage in record.stages.items())


def _fills(record: Record, books: VenueBooks) -> Iterator[str]:
    theirs, ours = Counter(books.trades), Counter(_as_traded(fill) for fill in record.fills)
    yield from (f"the venue filled {fill}, and we missed it" for fill in theirs - ours)
    yield from (f"we told {fill}, which the venue does not know" for fill in ours - theirs)


def _as_traded(fill: Fill) -> Traded:
    return Traded(fill.client_order_id, fill.trade_id, fill.qty, fill.price, fill.fee, fill.fee_asset)


def _balances(record: Record, books: VenueBooks) -> Iterator[str]:
    moved: dict[str, Decimal] = {asset: Decimal(amount) for asset, amount in books.funded.items()}
    for fill in record.fills:
        base, quote = books.assets_of(fill.symbol)
        sign = 1 if fill.side is Side.BUY else -1
        moved[base] = moved.get(base, Decimal(0)) + sign * fill.qty
        moved[quote] = moved.get(quote, Decimal(0)) - sign * fill.qty * fill.price
        moved[fill.fee_asset] = moved.get(fill.fee_asset, Decimal(0)) - fill.fee
    for asset in {*moved, *books.balances}:
        theirs = books.balances.get(asset, Decimal(0))
        if moved.get(asset, Decimal(0)) != theirs:
            yield f"{asset}: the venue has {theirs}, our fills make it {moved.get(asset, Decimal(0))}"
