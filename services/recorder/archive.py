"""Keeps PostgreSQL up with the stream, at its own pace, through every outage of the database.

Batches that a lost database misses are dropped here: the stream still holds them, and the recorder reads on from the
database's own position when it is back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import psycopg
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from services.recorder import database
from services.recorder.core.ledger import Batch, Entry, halved, joined

LARGEST_TRANSACTION = 10_000
WAITING_BATCHES = 16
_log = structlog.get_logger("recorder.archive")

Rejected = tuple[Entry, str]


class Sink(Protocol):
    """Where batches are committed, each whole or not at all."""

    sequence: int

    def write(self, batch: Batch) -> None:
        """Commit a batch and its position."""


def write_sparing(tables: Sink, batch: Batch) -> list[Rejected]:
    """Commit `batch` but for the facts that the database cannot hold; answers those, each with the reason."""
    try:
        tables.write(batch)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(batch.entries) == 0:
            raise
        return _write_parts(tables, batch, error)
    return []


def _write_parts(tables: Sink, batch: Batch, error: psycopg.Error) -> list[Rejected]:
    if len(batch.entries) == 1:
        tables.write(Batch((), batch.after, batch.last, batch.summaries))
        return [(batch.entries[0], f"PostgreSQL cannot hold it: {error}")]
    first, second = halved(batch)
    return write_sparing(tables, first) + write_sparing(tables, second)


class Archive:
    """The database as the recorder sees it. `sequence` is the last one committed.

    `on_lost` and `on_restored` are told about outages, `on_rejected` about facts that the database cannot hold.
    """

    def __init__(
        self,
        url: str,
        on_lost: Callable[[str], Awaitable[None]],
        on_restored: Callable[[], Awaitable[None]],
        on_rejected: Callable[[Rejected], Awaitable[None]],
    ) -> None:
        self._url = url
        self._on_lost, self._on_restored, self._on_rejected = on_lost, on_restored, on_rejected
        self._batches: asyncio.Queue[Batch] = asyncio.Queue(WAITING_BATCHES)
        self._accepting = False
        self._lost = False
        self._problem = "not connected yet"
        self.sequence = 0
        self.connected = False
        self.returned = asyncio.Event()
        """Set when the database is there and waits to be fed from its own position."""

    @property
    def problem(self) -> str | None:
        """Why the database is not to be relied upon, None while all is well."""
        return None if self.connected else self._problem

    def begin(self) -> int | None:
        """Accept batches from here on; answers the position they must begin at, None while the database is away."""
        self.returned.clear()
        self._accepting = self.connected
        return self.sequence if self.connected else None

    async def offer(self, batch: Batch) -> None:
        """Hand over a batch. Waits while the database is slow, but not while it is away."""
        if self._accepting:
            await self._batches.put(batch)

    async def run(self) -> None:
        """Connect, write, connect again; never ends."""
        while True:
            connection = await self._connection()
            try:
                await self._feed(connection)
            except psycopg.OperationalError as error:
                await self._drop(error)
            finally:
                await asyncio.to_thread(connection.close)

    async def _connection(self) -> database.Connection:
        patiently = AsyncRetrying(
            retry=retry_if_exception_type(psycopg.OperationalError),
            wait=wait_exponential(multiplier=0.2, max=5),
            before_sleep=self._report_attempt,
        )
        return await patiently(asyncio.to_thread, self._prepared)

    def _prepared(self) -> database.Connection:
        connection = database.connect(self._url)
        try:
            database.migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _report_attempt(self, attempt: RetryCallState) -> None:
        await self._report_absence(attempt.outcome.exception() if attempt.outcome else None)

    async def _report_absence(self, error: BaseException | None) -> None:
        self._problem = _one_line(error)
        if not self._lost:
            self._lost = True
            _log.warning("database lost", problem=self._problem)
            await self._on_lost(self._problem)

    async def _feed(self, connection: database.Connection) -> None:
        tables = await asyncio.to_thread(database.Tables, connection)
        self._forget_batches()
        self.sequence, self.connected = tables.sequence, True
        self.returned.set()
        if self._lost:
            self._lost = False
            _log.info("database restored", position=tables.sequence)
            await self._on_restored()
        while True:
            await self._write(tables, await self._gathered())

    async def _gathered(self) -> Batch:
        batches = [await self._batches.get()]
        size = len(batches[0].entries)
        while size < LARGEST_TRANSACTION and not self._batches.empty():
            batches.append(self._batches.get_nowait())
            size += len(batches[-1].entries)
        return joined(batches)

    async def _write(self, tables: database.Tables, batch: Batch) -> None:
        rejected = await asyncio.to_thread(write_sparing, tables, batch)
        self.sequence = tables.sequence
        for refusal in rejected:
            await self._on_rejected(refusal)

    async def _drop(self, error: psycopg.Error) -> None:
        self.connected = self._accepting = False
        self._forget_batches()
        await self._report_absence(error)

    def _forget_batches(self) -> None:
        while not self._batches.empty():
            self._batches.get_nowait()


def _one_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]
