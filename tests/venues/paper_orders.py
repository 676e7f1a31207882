"""Sessions, tickets and candles for tests of the simulated exchange, in a market of one-minute bars around 100."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from shared.schemas.market import Candle
from shared.schemas.orders import Fill, Ticket
from shared.schemas.session import SessionConfig
from shared.schemas.values import OrderType, Side, TimeInForce
from shared.venues.paper import Book, match, opened, submit
from shared.venues.port import Cancelled, Filled, Rejected, Report

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BTC, ETH = "BTCUSDT", "ETHUSDT"
_numbers = count(1)


def session(**changes: Any) -> SessionConfig:
    """A session of 10,000 USDT with 0.1 % fees; `changes` replace whole tables of it."""
    tables: dict[str, Any] = {
        "name": "paper-test",
        "symbols": (BTC, ETH),
        "timeframe": "1m",
        "initial_capital": "10000",
        "feed": {"kind": "simulated", "start": START},
        "strategies": ({"name": "ema_crossover"},),
        "instrument": {"tick_size": "0.01", "lot_step": "0.001"},
    }
    return SessionConfig.model_validate({**tables, **changes})


def book(holding: str = "0", symbol: str = BTC, **changes: Any) -> Book:
    """A fresh book that already holds so much of `symbol`."""
    fresh = opened(session(**changes))
    return Book(fresh.rules, fresh.cash, {symbol: Decimal(holding)} if Decimal(holding) else {})


def ticket(qty: str = "1", side: Side = Side.BUY, name: str | None = None, **fields: Any) -> Ticket:
    """A market order unless `price` makes it a limit, `stop_price` a stop, and both a stop-limit order."""
    price, stop = fields.pop("price", None), fields.pop("stop_price", None)
    kinds = {(False, False): OrderType.MARKET, (True, False): OrderType.LIMIT, (False, True): OrderType.STOP}
    defaults: dict[str, Any] = {
        "client_order_id": name or f"order-{next(_numbers)}",
        "strategy": "ema_crossover",
        "symbol": BTC,
        "side": side,
        "type": kinds.get((price is not None, stop is not None), OrderType.STOP_LIMIT),
        "qty": Decimal(qty),
        "price": Decimal(price) if price else None,
        "stop_price": Decimal(stop) if stop else None,
        "reference_price": Decimal(100),
        "purpose": "entry" if side is Side.BUY else "exit",
    }
    return Ticket(**{**defaults, **fields})


def buy(qty: str = "1", **fields: Any) -> Ticket:
    """An order to buy."""
    return ticket(qty, Side.BUY, **fields)


def sell(qty: str = "1", **fields: Any) -> Ticket:
    """An order to sell."""
    return ticket(qty, Side.SELL, **fields)


def bar(prices: str, minute: int = 0, symbol: str = BTC, volume: str = "1000", length: timedelta = MINUTE) -> Candle:
    """The bar that opens `minute` minutes after the start; `prices` are open, high, low and close."""
    start = START + minute * MINUTE
    first, high, low, last = map(Decimal, prices.split())
    return Candle(symbol, start, start + length, first, high, low, last, Decimal(volume))


def submitted(before: Book, *tickets: Ticket, at: datetime = START) -> Book:
    """The book with the orders on it; none of them may be rejected."""
    for each in tickets:
        before, reports = submit(before, each, at)
        assert not any(isinstance(report, Rejected) for report in reports), reports
    return before


def run(before: Book, *bars: Candle) -> tuple[Book, list[Report]]:
    """The book after bars that close one after the other, and everything that was reported."""
    told: list[Report] = []
    for each in bars:
        before, reports = match(before, [each])
        told += reports
    return before, told


def fills(reports: Sequence[Report]) -> list[Fill]:
    """The executions among the reports."""
    return [report.fill for report in reports if isinstance(report, Filled)]


def only_fill(reports: Sequence[Report]) -> Fill:
    """The one execution among the reports."""
    (fill,) = fills(reports)
    return fill


def cancellations(reports: Sequence[Report]) -> list[tuple[str, str]]:
    """Names and reasons of the orders that were cancelled."""
    return [(report.order.client_order_id, report.reason) for report in reports if isinstance(report, Cancelled)]


def rejection(before: Book, refused: Ticket, at: datetime = START) -> str:
    """Why the exchange rejects the ticket."""
    _, reports = submit(before, refused, at)
    (report,) = reports
    assert isinstance(report, Rejected), report
    assert report.order.status == "rejected"
    return report.reason


IOC, FOK, DAY = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY
