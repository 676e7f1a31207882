"""Orders at the Alpaca test server under every trouble at once: none doubled, none in doubt, no trade counted twice."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from services.runner.core.inputs import VenueTrouble
from services.runner.live import calling, dealing
from shared.schemas.values import Side
from shared.venues import alpaca
from shared.venues.alpaca.account import AlpacaAccount
from shared.venues.words import Absent, Executed, Shown, VenueSaid
from tests.dealing_desk import Desk, dealing_at
from tests.venues.alpaca.server import START, AlpacaServer
from tests.venues.faults import Fault, Faults
from tests.venues.market import candle
from tests.venues.paper_orders import ticket

SEEDS = range(20 if os.environ.get("SOAK") else 2)
ORDERS = 60
SYMBOLS = {"BTC/USD": "100", "AAPL": "200"}
RATES = {
    Fault.REQUEST_LOST: 0.08,
    Fault.ANSWER_LOST: 0.08,
    Fault.ANSWER_LATE: 0.05,
    Fault.TOO_MANY_REQUESTS: 0.05,
    Fault.SERVER_ERROR: 0.08,
    Fault.SERVER_ERROR_EXECUTED: 0.08,
    Fault.STALE_READ: 0.1,
    Fault.DUPLICATED: 0.1,
    Fault.REORDERED: 0.1,
    Fault.CUT: 0.03,
    Fault.PARTIAL: 0.5,
    Fault.UNKNOWN_FIELDS: 0.05,
    Fault.MISSING_FIELDS: 0.05,
}


class Books(Desk):
    """A desk that keeps count: an order is in flight until its end is known with every trade that it counts."""

    def __init__(self, account: AlpacaAccount, server: AlpacaServer) -> None:
        super().__init__(account, dict.fromkeys(SYMBOLS, Decimal(0)), lambda: len(server.orders))
        self.trades: dict[str, Executed] = {}
        self.ends: dict[str, Shown | Absent] = {}
        self.limits: set[str] = set()

    def _hear(self, said: VenueSaid | VenueTrouble) -> None:
        super()._hear(said)
        if not isinstance(said, VenueSaid):
            return
        for word in said.words:
            if isinstance(word, Executed):
                self.trades.setdefault(word.trade_id, word)
            elif isinstance(word, Absent) or (isinstance(word, Shown) and word.standing != "working"):
                self.ends.setdefault(word.client_order_id, word)
        for name, end in self.ends.items():
            if not isinstance(end, Shown) or self.filled(name) >= end.filled_qty:
                self.in_flight.pop(name, None)

    def filled(self, name: str) -> Decimal:
        return sum((word.qty for word in self.trades.values() if word.client_order_id == name), Decimal(0))


@asynccontextmanager
async def stage(seed: int) -> AsyncIterator[tuple[Books, AlpacaServer]]:
    faults = Faults(seed, late_seconds=0.1, retry_after=0)
    async with AlpacaServer(faults=faults, limit=1_000_000) as server:
        for symbol, price in SYMBOLS.items():
            server.market.know([candle(symbol, START, price)])
        account = alpaca.account(alpaca.Access(True, server.key, server.secret, server.url, None, server.ws_url))
        await account.open()
        books = Books(account, server)
        async with dealing_at(books):
            for fault, rate in RATES.items():
                faults.rate(fault, rate)
            yield books, server
        await account.close()


async def trade(books: Books, server: AlpacaServer, seed: int) -> None:
    """Orders of every kind while the price walks, some of them taken back."""
    chance, names = random.Random(seed), []
    for number in range(ORDERS):
        symbol = chance.choice(tuple(SYMBOLS))
        names.append(f"lt-{number}")
        price = str(int(SYMBOLS[symbol]) * chance.choice((90, 99, 110)) // 100) if chance.random() < 0.6 else None
        if price is not None:
            books.limits.add(names[-1])
        await books.send(ticket("1", Side.BUY, names[-1], symbol=symbol, price=price))
        if chance.random() < 0.2:
            await books.dealing.cancel(chance.choice(names), "test")
        if number % 10 == 9:
            opened = START + (number // 10 + 1) * timedelta(minutes=1)
            for each, start in SYMBOLS.items():
                await server.market.play(candle(each, opened, str(int(start) * chance.randint(88, 112) // 100)))
        await asyncio.sleep(0.02)


def trades_told(books: Books) -> set[tuple[object, ...]]:
    """Every trade that we heard of; whether a limit added liquidity can't be told while the market's time stands."""
    found: set[tuple[object, ...]] = set()
    for word in books.trades.values():
        fee = None if word.client_order_id in books.limits and word.fee else word.fee
        found.add((word.trade_id, word.qty, word.price, fee))
    return found


def trades_made(server: AlpacaServer) -> set[tuple[object, ...]]:
    """Every trade that there was."""
    found: set[tuple[object, ...]] = set()
    for fill in server.fills:
        terms = server.books.orders[fill.order_id].terms
        fee = None if terms.asset.is_crypto and terms.type == "limit" else fill.fee
        found.add((f"{fill.order_id}@{fill.cumulative.normalize():f}", fill.qty, fill.price, fee))
    return found


@pytest.mark.parametrize("seed", SEEDS)
async def test_books_equal_the_venues_to_the_last_digit(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(dealing, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(AlpacaAccount, "proof_seconds", 1.0)
    async with stage(seed) as (books, server):
        await trade(books, server, seed)
        server.faults.clear()
        async with asyncio.timeout(60):
            while books.in_flight:
                for name in tuple(books.in_flight):
                    await books.dealing.cancel(name, "the end")
                await asyncio.sleep(1)
        names = Counter(order.terms.client_order_id for order in server.orders)
        assert set(names.values()) == {1}
        assert trades_told(books) == trades_made(server)
        gone = {name for name, end in books.ends.items() if isinstance(end, Absent)}
        refused = {name for name, end in books.ends.items() if isinstance(end, Shown) and end.standing == "rejected"}
        assert set(books.ends) == set(names) | gone | refused
        assert not set(names) & gone
        assert not server.books.open_orders()
