"""Reading a stream in order and without holes."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from shared.runtime.connection import Connection
from shared.runtime.delivery import Delivery
from shared.runtime.errors import RetryableError
from shared.runtime.inlet import Inlet
from shared.runtime.progress import Progress
from shared.runtime.streams import last_sequence


async def follow(
    connection: Connection, stream: str, subjects: Sequence[str], start: int
) -> AsyncGenerator[Sequence[Delivery], None]:
    """Every message from number `start` on that matches, in order, without end; together what came together."""
    progress = Progress(stream, subjects, start)
    while True:
        await connection.restored()
        inlet = Inlet(connection)
        try:
            await progress.check_history(connection)
            await inlet.open(stream, subjects, _from(progress.next))
            while taken := await inlet.take():
                for delivery in taken:
                    progress.take(delivery)
                yield taken
        except RetryableError:
            if connection.connected:
                raise
        finally:
            await inlet.close()


async def read(
    connection: Connection, stream: str, subjects: Sequence[str], start: int
) -> AsyncGenerator[Sequence[Delivery], None]:
    """Every message from number `start` on that matches and is stored now, in order; together what came together."""
    progress, end = Progress(stream, subjects, start), await last_sequence(connection, stream)
    while progress.next <= end:
        inlet = Inlet(connection)
        try:
            await inlet.open(stream, subjects, _from(progress.next))
            while inlet.pending and (taken := await inlet.take()):
                stored = [delivery for delivery in taken if delivery.sequence <= end]
                for delivery in stored:
                    progress.take(delivery)
                if stored:
                    yield stored
                if len(stored) < len(taken):
                    return
            if not inlet.pending:
                progress.end_at(end)
                return
        finally:
            await inlet.close()


async def latest(connection: Connection, stream: str, subjects: Sequence[str]) -> list[Delivery]:
    """The last message on each matching subject, in stream order."""
    while True:
        found: list[Delivery] = []
        inlet = Inlet(connection)
        try:
            await inlet.open(stream, subjects, {"deliver_policy": "last_per_subject"})
            while inlet.pending and (taken := await inlet.take()):
                found += taken
            if not inlet.pending:
                return found
        finally:
            await inlet.close()


def _from(position: int) -> dict[str, Any]:
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": position}
