"""What a venue's word means for the orders in flight; repeats and latecomers mean nothing."""

from decimal import Decimal

from services.runner.core.dealt import trade_key
from services.runner.core.order import Order
from services.runner.core.state import State
from shared.schemas.orders import Fill
from shared.venues.port import Accepted, Cancelled, Filled, Reconciled, Rejected, Report, Unclear
from shared.venues.words import Absent, Doubtful, Executed, Shown, Word, WorkedStill


def understood(state: State, word: Word) -> Report | None:
    """The report that `word` makes; None where it tells nothing new of an order in flight.

    An order's end is not understood before all fills that the venue counts in it were: whoever brings its word brings
    them first.
    """
    order = state.orders.get(word.client_order_id)
    if order is None:
        return _of_the_past(state, word)
    match word:
        case Executed():
            return None if word.trade_id in order.trades else Filled(_fill(order, word))
        case Shown():
            return _standing(order, word)
        case Doubtful(_, reason):
            return Unclear(order.shown("unknown"), reason) if order.stage == "submitted" else None
        case Absent(_, reason):
            return Reconciled(order.shown("rejected"), reason) if order.stage == "unknown" else None
        case WorkedStill():
            return None


def _of_the_past(state: State, word: Word) -> Report | None:
    """What a word on an order that is gone means: an execution that was missed, or that it is worked still.

    What executions have filled can't be worked, whatever a read that lags shows.
    """
    order = state.dealt.ended.get(word.client_order_id)
    if order is None:
        return None
    if isinstance(word, Executed):
        told = word.trade_id in order.trades or trade_key(order.ticket.symbol, word.trade_id) in state.dealt.trades
        return None if told else Filled(_fill(order, word))
    if isinstance(word, WorkedStill) and order.filled_qty < order.ticket.qty:
        return Reconciled(order.shown("accepted", word.venue_order_id), "the venue works it still")
    return None


def _standing(order: Order, word: Shown) -> Report | None:
    if word.standing == "working":
        return _working(order, word)
    if word.standing == "filled" or order.filled_qty < word.filled_qty:
        return None
    ended = order.shown(word.standing, word.venue_order_id)
    reason = word.reason or f"the venue shows it {word.standing}"
    if order.stage == "unknown":
        return Reconciled(ended, reason)
    return Rejected(ended, reason, word.never_sent) if word.standing == "rejected" else Cancelled(ended, reason)


def _working(order: Order, word: Shown) -> Report | None:
    shown = order.shown("partially_filled" if order.filled_qty else "accepted", word.venue_order_id)
    if order.stage == "submitted":
        return Accepted(shown)
    return Reconciled(shown, "the venue shows it working") if order.stage == "unknown" else None


def _fill(order: Order, word: Executed) -> Fill:
    ticket = order.ticket
    leaves = max(ticket.qty - order.filled_qty - word.qty, Decimal(0))
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
        status="partially_filled" if leaves else "filled",
        leaves_qty=leaves,
        reference_price=ticket.reference_of(word.price),
    )
