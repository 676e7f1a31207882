"""The floor of the order path: its messages between two processes, each through the stream, and no decision at all.

One side stores four messages as long as facts; the other, when it has read the fourth, signs and stores an answer; the
first checks the signature and stores a sixth, of which it waits for the server's word. What an order takes beyond that
is spent on deciding.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import nkeys

from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.keys import signer, verifier
from shared.runtime.settings import Settings
from shared.schemas.subjects import EVENTS, event_subject, writer_subjects

SESSION = "00000000-0000-5000-8000-00000000f100"
FACT = b"x" * 600
ASKED = tuple(
    event_subject(SESSION, "runner", name)
    for name in ("candle_closed", "equity_marked", "signal_raised", "order_intended")
)
ANSWERED = event_subject(SESSION, "risk", "order_approved")
SENT = event_subject(SESSION, "runner", "order_submitted")


async def hops(url: str, count: int) -> Sequence[float]:
    """The seconds of so many rounds, one after the other."""
    async with _answering(url) as public_key:
        bus = await Bus.connect(Settings(nats_url=url), "runner")
        try:
            return await _rounds(bus, public_key, count)
        finally:
            await bus.close()


async def _rounds(bus: Bus, public_key: str, count: int) -> Sequence[float]:
    verify, taken = verifier(public_key), list[float]()
    start = await bus.last_sequence(EVENTS) + 1
    async with aclosing(bus.follow(EVENTS, [ANSWERED], start)) as answers:
        for _ in range(count):
            began = time.perf_counter()
            for subject in ASKED:
                _tell(bus, subject, FACT)
            bus.push()
            answer = await anext(answers)
            assert verify(FACT, answer.payload[len(FACT) :].decode())
            await bus.connection.request(SENT, FACT, _named())
            taken.append(time.perf_counter() - began)
            await asyncio.sleep(0.001)  # as the runner, which goes on with the next slice
    return taken


def _tell(bus: Bus, subject: str, payload: bytes) -> None:
    bus.connection.ask(subject, payload, _named(), lambda answer: None)


def _named() -> dict[str, str]:
    return {"Nats-Msg-Id": clock.new_id()}


@asynccontextmanager
async def _answering(url: str) -> AsyncIterator[str]:
    """The other side, in a process of its own; its public key."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bare_hops", url, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def answer(url: str) -> None:
    """Sign and store an answer to every fourth message, until the process is ended."""
    public_key, sign = signer(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))
    bus = await Bus.connect(Settings(nats_url=url), "risk")
    start = await bus.last_sequence(EVENTS) + 1
    print(public_key, flush=True)
    async for delivery in bus.follow(EVENTS, [writer_subjects(SESSION, "runner")], start):
        if delivery.subject == ASKED[-1]:
            _tell(bus, ANSWERED, FACT + sign(FACT).encode())
            bus.push()


if __name__ == "__main__":
    asyncio.run(answer(sys.argv[1]))
