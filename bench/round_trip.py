"""The yardstick: a core request and its answer between two processes, by nats-py and nothing else."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

SUBJECT = "bench.echo"
PAYLOAD = b"x" * 400
"""About the size of a fact."""


async def round_trips(url: str, count: int) -> Sequence[float]:
    """So many round trips to an echoing process, one after the other, in seconds."""
    async with tripping(url) as trip:
        return [await trip() for _ in range(count)]


@asynccontextmanager
async def tripping(url: str) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """What makes one round trip to an echoing process at each call and answers its seconds; warmed up."""
    async with _echoing(url):
        client = await nats.connect(url)
        try:
            for _ in range(50):
                await client.request(SUBJECT, PAYLOAD, timeout=30)
            yield partial(_timed, client)
        finally:
            await client.close()


async def _timed(client: Client) -> float:
    began = time.perf_counter()
    await client.request(SUBJECT, PAYLOAD, timeout=30)
    return time.perf_counter() - began


@asynccontextmanager
async def _echoing(url: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.round_trip", url, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        yield
    finally:
        process.terminate()
        await process.wait()


async def echo(url: str) -> None:
    """Answer every request with its own payload, until the process is ended."""
    client = await nats.connect(url)

    async def answer(message: Msg) -> None:
        await message.respond(message.data)

    await client.subscribe(SUBJECT, cb=answer)
    await client.flush()
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(echo(sys.argv[1]))
