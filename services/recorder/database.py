"""The sink that writes PostgreSQL: rows and position in one transaction, so each fact once however often delivered."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from services.recorder.core.copy_text import copy_text
from services.recorder.core.ledger import Batch, Entry
from services.recorder.core.order_rows import OrderRow, order_rows
from services.recorder.core.session_rows import session_row
from services.recorder.core.table_rows import COLUMNS, Row, rows_of
from shared.domain.summary import Summary
from shared.runtime.errors import FatalError

MIGRATIONS = Path(__file__).parents[2] / "deploy" / "postgres"
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 60
_MIGRATION_LOCK = 5_246_100
SESSION_TABLES = ("events", "orders", "fills", "trades", "equity", "shadow_equity", "sessions")

Connection = psycopg.Connection[tuple[Any, ...]]


class AnotherWriterError(FatalError):
    """The position in the database was moved by someone else."""


def connect(url: str) -> Connection:
    """A connection that gives up on a dead server; psycopg.OperationalError when there is none."""
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name="leitstand-recorder",
        options=f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=10_000,
    )


def migrate(connection: Connection) -> None:
    """Bring the tables up to date: each file of deploy/postgres once, in order, whoever comes first."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY)")
        done = {name for (name,) in connection.execute("SELECT name FROM schema_migrations")}
        for file in sorted(MIGRATIONS.glob("*.sql")):
            if file.name not in done:
                connection.execute(file.read_bytes())
                connection.execute("INSERT INTO schema_migrations VALUES (%s)", (file.name,))


class Tables:
    """The tables of one database. `sequence` is the last one whose rows are committed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        found = connection.execute("SELECT sequence FROM recorder_position").fetchone()
        self.sequence = int(found[0]) if found else 0

    def write(self, batch: Batch) -> None:
        """Commit what `batch` holds beyond the position, together with the new position."""
        if batch.last <= self.sequence:
            return
        if batch.after > self.sequence:
            raise FatalError(f"the tables reach to {self.sequence}, but the batch begins behind {batch.after}")
        fresh = [entry for entry in batch.entries if entry.sequence > self.sequence]
        with self._connection.transaction():
            self._move(batch.last)
            insert(self._connection, fresh, batch.summaries.values())
        self.sequence = batch.last

    def _move(self, sequence: int) -> None:
        moved = self._connection.execute(
            "UPDATE recorder_position SET sequence = %s WHERE sequence = %s", (sequence, self.sequence)
        )
        if moved.rowcount != 1:
            raise AnotherWriterError(
                f"the database is no longer at {self.sequence}: another recorder writes to it; stop one of them"
            )


def insert(connection: Connection, entries: Sequence[Entry], summaries: Iterable[Summary]) -> None:
    """Add the rows of `entries` and bring their orders and sessions up to date, within the caller's transaction."""
    rows: dict[str, list[Row]] = {}
    for entry in entries:
        for table, row in rows_of(entry):
            rows.setdefault(table, []).append(row)
    for table, added in rows.items():
        _copy(connection, table, COLUMNS[table], added)
    _merge_orders(connection, order_rows(entries))
    _merge_sessions(connection, summaries)


def delete_rows(connection: Connection, session_id: str | None) -> None:
    """Take all rows of a session, or of all, away, within the caller's transaction."""
    for table in SESSION_TABLES:
        statement = sql.SQL("DELETE FROM {} WHERE %(id)s::uuid IS NULL OR session_id = %(id)s").format(
            sql.Identifier(table)
        )
        connection.execute(statement, {"id": session_id})


def locked_position(connection: Connection) -> int:
    """The position, which nobody else can move until the caller's transaction ends."""
    found = connection.execute("SELECT sequence FROM recorder_position FOR UPDATE").fetchone()
    return int(found[0]) if found else 0


def set_position(connection: Connection, sequence: int) -> None:
    """Move the position, whatever it was, within the caller's transaction."""
    connection.execute("UPDATE recorder_position SET sequence = %s", (sequence,))


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(copy_text(rows))


_ORDER_COLUMNS = OrderRow._fields
_KEPT_UNLESS_TOLD = (
    "type", "time_in_force", "purpose", "reduce_only", "price", "stop_price", "reference_price",
    "rule", "reason", "venue_order_id",
)  # fmt: skip
_TOLD_ORDERS = "CREATE TEMPORARY TABLE IF NOT EXISTS orders_told (LIKE orders) ON COMMIT DELETE ROWS"
_MERGE_ORDERS = sql.SQL(
    "WITH told AS (DELETE FROM orders_told RETURNING {columns}) "
    "INSERT INTO orders ({columns}) SELECT {columns} FROM told ON CONFLICT (session_id, client_order_id) DO UPDATE SET "
    "status = excluded.status, market_time = excluded.market_time, updated_at = excluded.updated_at, "
    "qty = greatest(orders.qty, excluded.qty), intended_at = coalesce(orders.intended_at, excluded.intended_at), "
    "filled_qty = orders.filled_qty + excluded.filled_qty, "
    "filled_value = orders.filled_value + excluded.filled_value, fees = orders.fees + excluded.fees, {kept}"
).format(
    columns=sql.SQL(", ").join(map(sql.Identifier, _ORDER_COLUMNS)),
    kept=sql.SQL(", ").join(
        sql.SQL("{0} = coalesce(excluded.{0}, orders.{0})").format(sql.Identifier(name)) for name in _KEPT_UNLESS_TOLD
    ),
)


def _merge_orders(connection: Connection, rows: Sequence[OrderRow]) -> None:
    if rows:
        connection.execute(_TOLD_ORDERS)
        _copy(connection, "orders_told", _ORDER_COLUMNS, rows)
        connection.execute(_MERGE_ORDERS)


def _merge_sessions(connection: Connection, summaries: Iterable[Summary]) -> None:
    for summary in summaries:
        row = session_row(summary)
        if row is not None:
            connection.execute(_merge_session(tuple(row)), row)


def _merge_session(columns: Sequence[str]) -> sql.Composed:
    names = [sql.Identifier(name) for name in columns]
    return sql.SQL("INSERT INTO sessions ({}) VALUES ({}) ON CONFLICT (session_id) DO UPDATE SET {}").format(
        sql.SQL(", ").join(names),
        sql.SQL(", ").join(map(sql.Placeholder, columns)),
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names),
    )
