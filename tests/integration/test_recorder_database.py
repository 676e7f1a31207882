"""The recorder's tables in a real PostgreSQL."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from deploy.embedded.postgres_server import PostgresServer, start_postgres
from services.recorder.archive import write_sparing
from services.recorder.core.ledger import Batch
from services.recorder.core.table_rows import COLUMNS
from services.recorder.database import AnotherWriterError, Connection, Tables, connect, delete_rows, migrate
from shared.runtime.errors import FatalError
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, TradingHalted
from shared.schemas.values import Side
from tests.recorder_story import SESSION, Story
from tests.unit.test_recorder_session_files import batches


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with start_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def connection(postgres: PostgresServer) -> Iterator[Connection]:
    with connect(postgres.url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        migrate(connection)
        yield connection


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def write(connection: Connection, events: Sequence[Event], size: int) -> list[Batch]:
    tables, made = Tables(connection), batches(events, size)
    for batch in made:
        tables.write(batch)
    return made


def test_migrating_again_changes_nothing(connection: Connection) -> None:
    migrate(connection)
    assert rows(connection, "SELECT name FROM schema_migrations ORDER BY name") == [
        ("001_tables.sql",),
        ("002_shadow_equity.sql",),
        ("003_each_execution_once.sql",),
    ]


def test_executions_that_were_written_twice_are_put_right_once_and_for_all(connection: Connection) -> None:
    write(connection, Story().whole(25), 1000)
    right = rows(connection, "SELECT client_order_id, filled_qty, filled_value, fees FROM orders ORDER BY 1")
    fills = rows(connection, "SELECT * FROM fills ORDER BY sequence")
    connection.execute("DELETE FROM schema_migrations WHERE name LIKE '003%'")
    connection.execute("DROP INDEX fills_execution")
    connection.execute("CREATE INDEX fills_order ON fills (session_id, client_order_id)")
    _double_every_fill(connection)
    _double_every_fill(connection)
    migrate(connection)
    assert rows(connection, "SELECT * FROM fills ORDER BY sequence") == fills
    assert rows(connection, "SELECT client_order_id, filled_qty, filled_value, fees FROM orders ORDER BY 1") == right
    with pytest.raises(psycopg.errors.UniqueViolation):
        _double_every_fill(connection)


def _double_every_fill(connection: Connection) -> None:
    connection.execute(
        "WITH doubled AS (INSERT INTO fills SELECT (SELECT max(sequence) FROM fills) + sequence, session_id,"
        " client_order_id, trade_id, strategy, symbol, side, qty, price, fee, fee_asset, liquidity, reference_price,"
        ' "timestamp", market_time FROM (SELECT DISTINCT ON (session_id, client_order_id, trade_id) * FROM fills'
        " ORDER BY session_id, client_order_id, trade_id, sequence) AS once RETURNING *)"
        " UPDATE orders SET filled_qty = filled_qty + d.qty, filled_value = filled_value + d.value, fees = fees + d.fee"
        " FROM (SELECT session_id, client_order_id, sum(qty) AS qty, sum(qty * price) AS value, sum(fee) AS fee"
        " FROM doubled GROUP BY 1, 2) AS d"
        " WHERE (orders.session_id, orders.client_order_id) = (d.session_id, d.client_order_id)"
    )


def test_the_columns_written_are_columns_of_the_tables(connection: Connection) -> None:
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    there = set(rows(connection, query))
    assert {(table, name) for table, names in COLUMNS.items() for name in names} <= there


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_rows_do_not_depend_on_how_the_stream_was_cut(connection: Connection, size: int) -> None:
    story = Story().whole(25)
    write(connection, story, size)
    assert rows(connection, "SELECT count(*), min(sequence), max(sequence) FROM events") == [
        (len(story), 1, len(story))
    ]
    assert rows(connection, "SELECT status, filled_qty, filled_value > 0, type, purpose, venue_order_id FROM orders"
                " WHERE status = 'filled' ORDER BY sequence LIMIT 1") == [
        ("filled", Decimal("1.5"), True, "market", "entry", "v-2")
    ]  # fmt: skip
    assert rows(connection, "SELECT count(*), sum(fees) = (SELECT sum(fee) FROM fills) FROM orders") == [(7, True)]
    assert rows(connection, "SELECT sum(pnl) FROM trades WHERE strategy = 'ema_crossover'") == rows(
        connection, "SELECT equity - initial_capital FROM sessions"
    ) or rows(connection, "SELECT exposure > 0 FROM sessions") == [(True,)]


def test_a_shadows_marks_are_written_once_and_go_with_their_session(connection: Connection) -> None:
    made = write(connection, Story(shadow="bollinger").whole(10), 9)
    again = Tables(connection)
    for batch in made:
        again.write(batch)
    assert rows(connection, "SELECT count(*), min(equity), max(equity) FROM shadow_equity") == [(10, 10_007, 10_007)]
    assert rows(connection, "SELECT count(*) FROM equity JOIN shadow_equity USING (session_id, market_time)") == [(10,)]
    delete_rows(connection, SESSION)
    assert rows(connection, "SELECT count(*) FROM shadow_equity") == [(0,)]


def test_a_batch_that_was_written_before_is_passed_over(connection: Connection) -> None:
    story = Story().whole(10)
    made = write(connection, story, 9)
    again = Tables(connection)
    for batch in made:
        again.write(batch)
    assert rows(connection, "SELECT count(*) FROM events") == [(len(story),)]


def test_rows_and_position_are_committed_together_or_not_at_all(connection: Connection) -> None:
    made = batches(Story().whole(10), 9)
    tables = Tables(connection)
    tables.write(made[0])
    connection.execute("ALTER TABLE equity RENAME TO gone")
    with pytest.raises(psycopg.errors.UndefinedTable):
        tables.write(made[1])
    assert rows(connection, "SELECT (SELECT max(sequence) FROM events), sequence FROM recorder_position") == [(9, 9)]


def test_a_batch_that_leaves_a_hole_is_refused(connection: Connection) -> None:
    made = batches(Story().whole(10), 9)
    with pytest.raises(FatalError, match="reach to 0"):
        Tables(connection).write(made[1])


def test_a_second_writer_is_noticed(connection: Connection) -> None:
    made = batches(Story().whole(10), 9)
    first, second = Tables(connection), Tables(connection)
    first.write(made[0])
    with pytest.raises(AnotherWriterError, match="stop one of them"):
        second.write(made[0])


def test_a_kill_with_garbage_for_a_reason_is_recorded(connection: Connection) -> None:
    garbage = "\x00\x01 \\u0000 \U0001f4a5 \t'\"\\"
    story = Story()
    halt = story.tell(TradingHalted, "risk", message=garbage, details=Halt(kind="kill", reason=garbage))
    write(connection, [*story.begin(), halt], 100)
    expected = garbage.replace("\x00", "\ufffd")
    assert rows(
        connection, "SELECT message, payload->'details'->>'reason' FROM events WHERE type = 'trading_halted'"
    ) == [(expected, expected)]


def test_a_number_that_the_database_cannot_hold_costs_only_its_fact(connection: Connection) -> None:
    story = Story()
    begin, order = list(story.begin()), list(story.order(Side.BUY, Decimal(1), 1))
    tiny = Decimal("1." + "0" * 17_000 + "1")
    [fill] = order[-1:]
    poison = fill.model_copy(update={"order": fill.order.model_copy(update={"price": tiny})})
    events = [*begin, *order[:-1], poison, *story.bar(Decimal(100))]
    [batch] = batches(events, 100)
    rejected = write_sparing(Tables(connection), batch)
    assert [entry.event for entry, _ in rejected] == [poison]
    assert rows(connection, "SELECT count(*) FROM events") == [(len(events) - 1,)]
    assert rows(connection, "SELECT sequence FROM recorder_position") == [(len(events),)]
