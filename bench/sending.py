"""An approved order in hand, to its request at a local venue: by our runner, by ccxt alone, by bare aiohttp.

The venue is another process that notes when a request has come in; clocks that never step are the same for all
processes of a machine. The three take turns.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import aiohttp
import ccxt.pro

from bench.figures import Figure, at_most_times, beside
from services.runner.core.inputs import VenueTrouble
from services.runner.live.dealing import Dealing
from shared.domain.approval import ApprovedOrder
from shared.runtime import clock
from shared.schemas.orders import Ticket
from shared.schemas.values import OrderType, Side
from shared.venues import binance
from shared.venues.binance.orders import request_of
from shared.venues.words import Executed, VenueSaid

CCXT, AIOHTTP = "ccxt alone", "a bare aiohttp POST"
BOUND = 1.3
_KEY, _SECRET = "k" * 64, "s" * 64


def measure(full: bool) -> list[Figure]:
    """Microseconds to the wire, median and 99th percentile, beside both references."""
    ours, ccxts, bare = asyncio.run(_take_turns(3000 if full else 600))
    return [
        at_most_times("order in hand → on the wire, p50", _micros(ours, 0.5), "µs", CCXT, _micros(ccxts, 0.5), BOUND),
        beside("order in hand → on the wire, p99", _micros(ours, 0.99), "µs", CCXT, _micros(ccxts, 0.99)),
        beside("order in hand → on the wire, beside aiohttp", _micros(ours, 0.5), "µs", AIOHTTP, _micros(bare, 0.5)),
    ]


def _micros(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return 1e6 * (median(ordered) if share == 0.5 else ordered[int(share * len(ordered))])


async def _take_turns(rounds: int) -> tuple[list[float], list[float], list[float]]:
    ways: tuple[list[float], ...] = ([], [], [])
    async with _venue() as url, _ours(url) as ours, _ccxts(url) as ccxts, _bare(url) as bare:
        for number in range(rounds + 50):
            for taken, way in zip(ways, (ours, ccxts, bare), strict=True):
                began = time.perf_counter()
                received = await way(_ticket(number))
                if number >= 50:
                    taken.append(received - began)
    return ways[0], ways[1], ways[2]


def _ticket(number: int) -> Ticket:
    return Ticket(
        client_order_id=f"lt-{number}",
        strategy="bench",
        symbol="BTCUSDT",
        side=Side.BUY,
        type=OrderType.MARKET,
        qty=Decimal("0.001"),
        reference_price=Decimal(90_000),
        purpose="entry",
    )


Way = Callable[[Ticket], Awaitable[float]]
"""Sends an order; answers when the venue had it."""


@asynccontextmanager
async def _ours(url: str) -> AsyncIterator[Way]:
    account = binance.account(binance.Access(True, _KEY, _SECRET, url))
    heard: asyncio.Queue[float] = asyncio.Queue()

    def hear(said: VenueSaid | VenueTrouble) -> None:
        if isinstance(said, VenueSaid):
            for word in said.words:
                if isinstance(word, Executed):
                    heard.put_nowait(float(word.price))

    dealing = Dealing(account, {}, dict, lambda order: _nothing_in_the_way, hear)
    working = asyncio.ensure_future(dealing.carry_out())

    async def send(ticket: Ticket) -> float:
        await dealing.submit(ApprovedOrder(ticket, clock.now() + timedelta(minutes=1), "approval"))
        return await heard.get()

    try:
        yield send
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await account.close()


async def _nothing_in_the_way() -> str | None:
    return None


@asynccontextmanager
async def _ccxts(url: str) -> AsyncIterator[Way]:
    client: Any = ccxt.pro.binance({"apiKey": _KEY, "secret": _SECRET, "enableRateLimit": False})
    client.urls["api"]["private"] = f"{url}/api/v3"

    async def send(ticket: Ticket) -> float:
        answer = await client.privatePostOrder(request_of(ticket))
        return float(answer["fills"][0]["price"])

    try:
        yield send
    finally:
        await client.close()


@asynccontextmanager
async def _bare(url: str) -> AsyncIterator[Way]:
    async with aiohttp.ClientSession() as session:

        async def send(ticket: Ticket) -> float:
            async with session.post(f"{url}/api/v3/order", data=request_of(ticket)) as answer:
                return float(json.loads(await answer.read())["fills"][0]["price"])

        yield send


@asynccontextmanager
async def _venue() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.sending", stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


class _Taking(asyncio.Protocol):
    """Answers every request as Binance answers a market order; the fill's price is when the request had come in."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        came = time.perf_counter()
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            self._buffer = b""
            self._answer(came)

    def _answer(self, came: float) -> None:
        fill = {"price": f"{came:.9f}", "qty": "0.001", "commission": "0", "commissionAsset": "BTC", "tradeId": 1}
        told = {"symbol": "BTCUSDT", "orderId": 1, "status": "FILLED", "executedQty": "0.001", "fills": [fill]}
        text = json.dumps(told).encode()
        assert self._transport is not None
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text) + text
        )


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Taking, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
