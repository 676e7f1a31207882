"""The dashboard's SQL against a real PostgreSQL with the read model's real tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.embedded.postgres_server import start_postgres
from deploy.grafana import read_model

TABLES = sorted((Path(__file__).parents[2] / "deploy" / "postgres").glob("*.sql"))
BARS = 2500
CURVES = {"equity": read_model.EQUITY, "drawdown": read_model.DRAWDOWN, "exposure": read_model.EXPOSURE}
OF_A_SESSION = {
    **CURVES,
    "trades closed": read_model.TRADES_CLOSED,
    "trades won": read_model.TRADES_WON,
    "fees": read_model.FEES,
    "trade results": read_model.TRADE_RESULTS,
    "trades": read_model.TRADES,
    "orders": read_model.ORDERS,
}

SESSION = """
INSERT INTO sessions VALUES (
    %(id)s, 'demo', 'running', 'dry_run', 'paper', 'USDT', '1m', '{BTCUSDT}', '{ema_crossover}', %(started)s, NULL,
    '2026-01-05T00:00Z', '2026-01-06T00:00Z', %(started)s, 2, 10000, 10100, 0, 3, 1, 0, 2, 4, 3, 1, '{}')
"""
EQUITY = """
INSERT INTO equity
SELECT bar, %(id)s, now(), timestamptz '2026-01-05T00:00Z' + bar * interval '1 minute', 10000 + bar, 10000, bar, bar, 0,
       CASE WHEN bar = 1250 THEN 0.5 ELSE 0.01 END, 0.5, 0, 0, 0
FROM generate_series(1, %(bars)s) AS bar
"""
SHADOW_EQUITY = EQUITY.replace("INSERT INTO equity", "INSERT INTO shadow_equity").replace("10000 + bar", "9000 + bar")
TRADES = """
INSERT INTO trades SELECT n, %(id)s, 'ema_crossover', 'BTCUSDT', 1, 100, 101, now(), now(), 0.2, n - 150, 0.01
FROM generate_series(1, 300) AS n
"""
ORDERS = """
INSERT INTO orders (session_id, client_order_id, sequence, strategy, symbol, side, qty, status, filled_qty,
                    filled_value, fees, market_time, updated_at, rule)
SELECT %(id)s, n::text, n, 'ema_crossover', 'BTCUSDT', 'buy', 1, 'refused', 0, 0, 0, now(), now(), 'max_open_orders'
FROM generate_series(1, 60) AS n
"""
OLDER, NEWEST = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection[Any]]:
    with start_postgres(tmp_path_factory.mktemp("postgres")) as server, psycopg.connect(server.url) as connection:
        for table in TABLES:
            connection.execute(table.read_text(encoding="utf-8").encode())
        connection.execute(SESSION, {"id": OLDER, "started": "2026-01-01T00:00Z"})
        connection.execute(SESSION, {"id": NEWEST, "started": "2026-01-02T00:00Z"})
        for statement in (EQUITY, SHADOW_EQUITY, TRADES, ORDERS):
            connection.execute(statement, {"id": NEWEST, "bars": BARS})
        yield connection


def _answer(database: psycopg.Connection[Any], query: str, session: str) -> tuple[list[str], list[Any]]:
    cursor = database.execute(query.replace("${session:sqlstring}", f"'{session}'").encode())
    return [column.name for column in cursor.description or ()], cursor.fetchall()


@pytest.mark.parametrize("query", OF_A_SESSION.values(), ids=OF_A_SESSION.keys())
def test_a_query_answers_for_the_newest_run_and_with_nothing_for_an_unknown_session(
    database: psycopg.Connection[Any], query: str
) -> None:
    assert _answer(database, query, "demo")[1]
    assert _answer(database, query, "never ran")[1] == []


@pytest.mark.parametrize("query", CURVES.values(), ids=CURVES.keys())
def test_a_curve_is_thinned_and_ascends_in_market_hours(database: psycopg.Connection[Any], query: str) -> None:
    columns, points = _answer(database, query, "demo")
    hours = [point[0] for point in points]
    assert columns[0] == read_model.X
    assert len(points) == read_model.POINTS
    assert hours == sorted(hours)
    assert hours[-1] == pytest.approx(BARS / 60)


def test_the_equity_curve_ends_at_the_last_mark(database: psycopg.Connection[Any]) -> None:
    assert _answer(database, read_model.EQUITY, "demo")[1][-1][1:] == (10000 + BARS, 9000 + BARS, 10000)


def test_a_session_without_a_shadow_has_an_equity_curve_all_the_same(database: psycopg.Connection[Any]) -> None:
    with database.transaction(force_rollback=True):
        database.execute("DELETE FROM shadow_equity")
        assert _answer(database, read_model.EQUITY, "demo")[1][-1][1:] == (10000 + BARS, None, 10000)


def test_thinning_keeps_the_deepest_drawdown(database: psycopg.Connection[Any]) -> None:
    assert min(point[1] for point in _answer(database, read_model.DRAWDOWN, "demo")[1]) == -0.5


def test_the_bars_of_trades_are_the_last_two_hundred_in_order(database: psycopg.Connection[Any]) -> None:
    points = _answer(database, read_model.TRADE_RESULTS, "demo")[1]
    assert [point[0] for point in points] == list(range(101, 301))
    assert points[-1][1] == 150


def test_sessions_are_listed_newest_first_and_their_names_once(database: psycopg.Connection[Any]) -> None:
    columns, rows = _answer(database, read_model.SESSIONS, "")
    started = columns.index("Started")
    assert [row[started] for row in rows] == sorted((row[started] for row in rows), reverse=True)
    assert _answer(database, read_model.SESSION_NAMES, "")[1] == [("demo",)]
