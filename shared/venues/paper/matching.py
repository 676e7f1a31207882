"""One slice of the market passes over the book.

Executions of a slice happen in the order in which the candles' paths reach the orders, and in order of arrival where
they reach several at once. Each sees the cash, and the rest of the bar's volume, that those before it have left.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from shared.schemas.market import Candle
from shared.schemas.orders import Fill
from shared.schemas.trusted import trusted
from shared.schemas.values import Side, TimeInForce
from shared.venues.paper.book import Book, Stage, Working, with_working, without
from shared.venues.paper.entry import remove
from shared.venues.paper.pricing import on_tick, slippage, slipped, whole_lots
from shared.venues.paper.reach import IMMEDIATE, Touch, walk
from shared.venues.port import Filled, Report

Outcome = tuple[Book, tuple[Report, ...]]


class _Encounter(NamedTuple):
    """A candle's path reaches an order."""

    client_order_id: str
    touch: Touch
    candle: Candle


def match(book: Book, candles: Sequence[Candle]) -> Outcome:
    """The book after a slice, and what happened in it. `candles` all close at the same instant, one a symbol.

    Answers the same book when nothing is working. A fill lies within its candle's range but for slippage and tick.
    """
    if not book.working or not candles:
        return book, ()
    book, encounters = _walk_all(book, {candle.symbol: candle for candle in candles})
    book, executed = _execute_all(book, encounters)
    book, removed = _remove_leftovers(book, candles[0].close_time)
    return book, executed + removed


def _walk_all(book: Book, candles: dict[str, Candle]) -> tuple[Book, list[_Encounter]]:
    encounters: list[_Encounter] = []
    for name, working in book.working.items():
        candle = candles.get(working.ticket.symbol)
        if candle is None:
            continue
        passed, touch = walk(working, candle, book.rules.time_zone)
        if passed is not working:
            book = with_working(book, passed)
        if touch is not None:
            encounters.append(_Encounter(name, touch, candle))
    return book, sorted(encounters, key=lambda encounter: encounter.touch.at.position)


def _execute_all(book: Book, encounters: Sequence[_Encounter]) -> Outcome:
    reports: list[Report] = []
    volume: dict[str, Decimal] = {}
    for encounter in encounters:
        working = book.working[encounter.client_order_id]
        symbol = working.ticket.symbol
        left = volume.get(symbol, _tradable(book, encounter.candle))
        qty = working.leaves if left is None else min(working.leaves, left)
        book, told = _execute(book, working, encounter, qty)
        reports += told
        if left is not None:
            volume[symbol] = left - sum((r.fill.qty for r in told if isinstance(r, Filled)), Decimal(0))
    return book, tuple(reports)


def _tradable(book: Book, candle: Candle) -> Decimal | None:
    """How much of the bar's volume can be ours; None for any amount."""
    share = book.rules.paper.participation
    if share is None:
        return None
    return whole_lots(candle.volume * share, book.rules.instruments[candle.symbol].lot_step)


def _execute(book: Book, working: Working, encounter: _Encounter, qty: Decimal) -> Outcome:
    if working.ticket.time_in_force is TimeInForce.FOK and qty < working.leaves:
        return remove(book, working, "fill or kill: the bar's volume does not suffice")
    if not qty:
        return book, ()
    fill = execution(book, working, encounter.touch, encounter.candle, qty)
    cash = cash_after(book, fill)
    if cash < 0:
        return remove(book, working, "insufficient balance")
    working = working._replace(stage=Stage.TAKING) if encounter.touch.takes else working
    return _settled(book, working, fill, cash), (Filled(fill),)


def execution(book: Book, working: Working, touch: Touch, candle: Candle, qty: Decimal) -> Fill:
    """The fill of `qty` where the candle's path touches the order."""
    ticket, paper, liquidity = working.ticket, book.rules.paper, touch.liquidity
    price = _price(book, working, touch, candle)
    leaves = working.leaves - qty
    particulars = {
        "client_order_id": ticket.client_order_id,
        "trade_id": f"p-{book.trades + 1}",
        "strategy": ticket.strategy,
        "symbol": ticket.symbol,
        "side": ticket.side,
        "qty": qty,
        "price": price,
        "fee": qty * price * (paper.maker_fee if liquidity == "maker" else paper.taker_fee),
        "fee_asset": book.rules.quote,
        "liquidity": liquidity,
        "status": "partially_filled" if leaves else "filled",
        "leaves_qty": leaves,
        "reference_price": ticket.reference_of(price),
    }
    return trusted(Fill, particulars)


def _price(book: Book, working: Working, touch: Touch, candle: Candle) -> Decimal:
    """A price that the candle itself tells is taken as it is; one between or beyond is rounded to the tick."""
    point, side = touch.at, working.ticket.side
    share = slippage(book.rules.paper, working, candle.close_time) if touch.slips else Decimal(0)
    if not share and point.position == int(point.position):
        return point.price
    return on_tick(slipped(point.price, side, share), side, book.rules.instruments[working.ticket.symbol].tick_size)


def cash_after(book: Book, fill: Fill) -> Decimal:
    """The account's cash after a fill; below zero where it does not suffice."""
    value = fill.qty * fill.price
    return book.cash + ((value if fill.side is Side.SELL else -value) - fill.fee)


def held_after(book: Book, fill: Fill) -> dict[str, Decimal]:
    """The account's holdings after a fill."""
    change = fill.qty if fill.side is Side.BUY else -fill.qty
    return {**book.holdings, fill.symbol: book.holdings.get(fill.symbol, Decimal(0)) + change}


def _settled(book: Book, working: Working, fill: Fill, cash: Decimal) -> Book:
    working = working._replace(filled=working.filled + fill.qty)
    book = book._replace(cash=cash, holdings=held_after(book, fill), trades=book.trades + 1)
    return with_working(book, working) if fill.leaves_qty else without(book, working, "filled")


def _remove_leftovers(book: Book, now: datetime) -> Outcome:
    reports: tuple[Report, ...] = ()
    for working in book.working.values():
        if working.stage is Stage.RESTING and working.ticket.time_in_force in IMMEDIATE:
            book, told = remove(book, working, f"{working.ticket.time_in_force}: not filled at once")
        elif working.expires_at is not None and working.expires_at <= now:
            book, told = remove(book, working, "the day is over", "expired")
        else:
            continue
        reports += told
    return book, reports
