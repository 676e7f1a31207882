"""What a session has dealt at a real venue: what its own books say an account must show.

Kept on a live market only; a simulated venue has no books but ours.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from services.runner.core.order import Order
from shared.schemas.orders import AccountReconciled, Balance, Difference, Fill
from shared.schemas.values import Side

ZERO = Decimal(0)
REMEMBERED_ORDERS = 200
"""So many orders that are gone are kept in mind, for the venue may have more to say of them."""
OVERLAP = timedelta(minutes=5)
"""So far before the last statement the next one begins: what the venue lists late is not missed."""


class Dealt(NamedTuple):
    """`before` is what the account held of each asset when the session began, `moved` what executions have changed.

    `trades` are the executions that were told, ours and others', by symbol and number, with when that was; `ended`
    are the orders that went last; `foreign` the names of others' orders that were told. `suspected` is how the last
    statement differed, `seen` how many in a row have differed just so. `agreed_at` is when the latest statement was
    made; it never goes back, for what was told before it is forgotten, and a clock may be set.
    """

    before: Mapping[str, Decimal] = MappingProxyType({})
    moved: Mapping[str, Decimal] = MappingProxyType({})
    trades: Mapping[str, datetime] = MappingProxyType({})
    ended: Mapping[str, Order] = MappingProxyType({})
    foreign: frozenset[str] = frozenset()
    suspected: tuple[Difference, ...] = ()
    seen: int = 0
    agreed_at: datetime | None = None

    def expected(self, asset: str) -> Decimal:
        """What the account must hold of an asset whose beginning is known."""
        return self.before[asset] + self.moved.get(asset, ZERO)


def trade_key(symbol: str, trade_id: str) -> str:
    """An execution's name among all of an account."""
    return f"{symbol}:{trade_id}"


def moves_of(symbol: str, quote: str, side: Side, fill: tuple[Decimal, Decimal, Decimal, str]) -> Mapping[str, Decimal]:
    """How an execution (its quantity, price, fee and the fee's asset) moves the account's assets."""
    qty, price, fee, fee_asset = fill
    base, sign = symbol.removesuffix(quote).removesuffix("/"), 1 if side is Side.BUY else -1
    moves = {base: sign * qty, quote: -sign * qty * price}
    return {**moves, fee_asset: moves.get(fee_asset, ZERO) - fee} if fee else moves


def with_moves(moved: Mapping[str, Decimal], moves: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    """The sums of both."""
    return {**moved, **{asset: moved.get(asset, ZERO) + units for asset, units in moves.items()}}


def with_fill(dealt: Dealt, fill: Fill, quote: str, at: datetime) -> Dealt:
    """After one of our executions, or of the guard's, was told; a statement may have shown the latter before."""
    if trade_key(fill.symbol, fill.trade_id) in dealt.trades:
        return dealt
    moves = moves_of(fill.symbol, quote, fill.side, (fill.qty, fill.price, fill.fee, fill.fee_asset))
    trades = {**dealt.trades, trade_key(fill.symbol, fill.trade_id): at}
    gone = dealt.ended.get(fill.client_order_id)
    ended = dealt.ended
    if gone is not None:
        later = gone._replace(filled_qty=gone.filled_qty + fill.qty, trades=gone.trades | {fill.trade_id})
        ended = {**ended, fill.client_order_id: later}
    return dealt._replace(moved=with_moves(dealt.moved, moves), trades=trades, ended=ended)


def with_end(dealt: Dealt, order: Order) -> Dealt:
    """After an order of ours has gone."""
    kept = [*dealt.ended.items(), (order.ticket.client_order_id, order)][-REMEMBERED_ORDERS:]
    return dealt._replace(ended=dict(kept))


def with_statement(dealt: Dealt, event: AccountReconciled) -> Dealt:
    """After a statement was held against our books."""
    found = event.details
    recent = {name: at for name, at in dealt.trades.items() if at >= found.at - 2 * OVERLAP}
    others = dict.fromkeys(found.foreign_trades, found.at)
    dealt = _suspecting(dealt, found.differences) if found.judged else dealt
    return dealt._replace(
        moved=with_moves(dealt.moved, _units(found.foreign_moves)),
        trades={**recent, **others},
        foreign=dealt.foreign | set(found.foreign_orders),
        agreed_at=max(found.at, dealt.agreed_at or found.at),
    )


def _suspecting(dealt: Dealt, differences: tuple[Difference, ...]) -> Dealt:
    seen = dealt.seen + 1 if is_the_same(differences, dealt.suspected) else bool(differences)
    return dealt._replace(suspected=differences, seen=seen)


def is_the_same(one: Iterable[Difference], other: Iterable[Difference]) -> bool:
    """Whether both lack or have too much of the same, whatever was traded in between; two that lack nothing are not."""
    gaps = _gaps(one)
    return bool(gaps) and gaps == _gaps(other)


def _gaps(differences: Iterable[Difference]) -> Mapping[str, Decimal]:
    return {each.asset: each.venue - each.ours for each in differences}


def accepted(dealt: Dealt) -> Dealt:
    """After an operator let trading go on: what the venue shows holds from here on."""
    if not dealt.suspected:
        return dealt
    return dealt._replace(moved=with_moves(dealt.moved, _gaps(dealt.suspected)), suspected=(), seen=0)


def _units(balances: Iterable[Balance]) -> Mapping[str, Decimal]:
    return {balance.asset: balance.qty for balance in balances}
