"""The recorder as a process, against a real NATS server and a real PostgreSQL."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.embedded.nats_server import start_nats
from deploy.embedded.postgres_server import PostgresServer, start_postgres
from services.recorder.commands import main
from services.recorder.validate import findings
from shared.runtime.bus import Bus
from shared.runtime.settings import load_settings
from shared.schemas.codec import encode, subject_of
from shared.schemas.envelope import Event
from shared.schemas.subjects import ALL_EVENTS, DEADLETTER, EVENTS, session_subjects
from shared.schemas.values import STACK
from tests.recorder_story import SESSION, Story

PATIENCE_SECONDS = 180.0


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with start_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to a database without any table."""
    connection = psycopg.connect(postgres.url, autocommit=True)
    connection.execute("DROP SCHEMA public CASCADE")
    connection.execute("CREATE SCHEMA public")
    return connection


@dataclass
class Stack:
    """One bus and one data folder, and the recorder's processes on them."""

    environment: dict[str, str]
    bus: Bus
    data: Path

    @property
    def sessions(self) -> Path:
        return self.data / "sessions"

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        log = (self.data.parent / "recorder.log").open("ab")
        command = [sys.executable, "-m", "services.recorder", *arguments]
        return subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    async def command(self, *arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.recorder", *arguments,
            env=self.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def lines(self, subject: str = session_subjects(SESSION)) -> list[bytes]:
        """What the stream holds on `subject`."""
        return [delivery.payload async for delivery in self.bus.read(EVENTS, [subject])]

    def recorded(self, session_id: str = SESSION) -> list[bytes]:
        path = self.sessions / session_id / "events.jsonl"
        return path.read_bytes().splitlines() if path.exists() else []

    async def until(self, happened: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            if time.monotonic() > deadline:
                pytest.fail(
                    f"not within {PATIENCE_SECONDS:g} s: {what}\n{(self.data.parent / 'recorder.log').read_text()}"
                )
            await asyncio.sleep(0.05)

    async def until_recorded(self, session_id: str = SESSION) -> None:
        """Wait until the files hold what the stream holds now."""
        expected = await self.lines(session_subjects(session_id))
        await self.until(lambda: self.recorded(session_id)[: len(expected)] == expected, "files hold the stream")


@pytest.fixture
async def stack(
    tmp_path: Path, postgres: PostgresServer, database: psycopg.Connection[tuple[object, ...]]
) -> AsyncIterator[Stack]:
    with start_nats(tmp_path / "nats") as server:
        given = {"NATS_URL": server.url, "DATABASE_URL": postgres.url, "DATA_DIR": str(tmp_path / "data")}
        bus = await Bus.connect(load_settings(given, dotenv=None), "runner")
        await bus.ensure_streams()
        (tmp_path / "data").mkdir()
        yield Stack({**os.environ, **given}, bus, tmp_path / "data")
        await bus.close()


@pytest.fixture
def recorder(stack: Stack) -> Iterator["subprocess.Popen[bytes]"]:
    process = stack.start()
    yield process
    process.kill()
    process.wait()


def rows(database: psycopg.Connection[tuple[object, ...]], query: str) -> list[tuple[object, ...]]:
    return database.execute(query.encode()).fetchall()


def has_told(stack: Stack, kind: str, session_id: str = SESSION) -> Callable[[], bool]:
    return lambda: any(f'"type":"{kind}"'.encode() in line for line in stack.recorded(session_id))


async def stored_in_database(stack: Stack, database: psycopg.Connection[tuple[object, ...]]) -> None:
    end = await stack.bus.last_sequence(EVENTS)
    await stack.until(
        lambda: rows(database, "SELECT to_regclass('recorder_position')") != [(None,)], "the tables are there"
    )
    await stack.until(
        lambda: int(str(rows(database, "SELECT sequence FROM recorder_position")[0][0])) >= end,
        "tables hold the stream",
    )


async def told_in_parts(stack: Stack, story: Sequence[Event]) -> None:
    for start in range(0, len(story), 500):
        await stack.bus.append(story[start : start + 500])


async def holds_the_stream(stack: Stack, database: psycopg.Connection[tuple[object, ...]]) -> None:
    await stored_in_database(stack, database)
    in_stream = [delivery.sequence async for delivery in stack.bus.read(EVENTS, [ALL_EVENTS])]
    assert [row[0] for row in rows(database, "SELECT sequence FROM events ORDER BY sequence")] == in_stream


async def test_writes_a_session_into_its_folder_and_the_tables_and_tells_of_the_report(
    stack: Stack, recorder: "subprocess.Popen[bytes]", database: psycopg.Connection[tuple[object, ...]]
) -> None:
    story = Story().whole(40)
    await stack.bus.append(story)
    await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
    await stack.until(has_told(stack, "heartbeat", STACK), "the recorder's own heartbeat is recorded")
    await stack.until_recorded()
    await stored_in_database(stack, database)

    folder = stack.sessions / SESSION
    assert stack.recorded()[: len(story)] == [encode(event) for event in story]
    await stack.until(lambda: list(findings(folder)) == [], "the folder is valid")
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["status"], summary["totals"]["trades"]) == ("success", 4)
    assert rows(database, "SELECT name, status, trades, phases_completed FROM sessions") == [("demo", "success", 4, 3)]
    assert [row[0] for row in rows(database, "SELECT count(*) FROM trades UNION ALL SELECT count(*) FROM fills")] == [
        4,
        8,
    ]
    assert rows(database, "SELECT status, count(*) FROM orders GROUP BY status ORDER BY status") == [
        ("filled", 8),
        ("refused", 3),
    ]
    assert rows(database, "SELECT count(*) FROM equity") == [(40,)]


async def test_writes_each_fact_once_however_often_it_is_killed(
    stack: Stack, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    story = Story().whole(120)
    process = stack.start()
    for begin in range(0, len(story), 60):
        await stack.bus.append(story[begin : begin + 60])
        if begin % 120 == 0:
            await stack.until(lambda begin=begin: len(stack.recorded()) > begin, "some of it is recorded")  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            process.wait()
            process = stack.start()
    try:
        await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
        await stack.until_recorded()
        await stored_in_database(stack, database)
    finally:
        process.terminate()
        process.wait()

    assert stack.recorded() == await stack.lines()
    in_stream = [delivery.sequence async for delivery in stack.bus.read(EVENTS, [ALL_EVENTS])]
    assert [row[0] for row in rows(database, "SELECT sequence FROM events ORDER BY sequence")] == in_stream
    assert list(findings(stack.sessions / SESSION)) == []


async def test_goes_on_with_files_while_postgresql_is_away_and_catches_up(stack: Stack, tmp_path: Path) -> None:
    story = Story().whole(30)
    server = start_postgres(tmp_path / "postgres")
    stack.environment["DATABASE_URL"] = server.url
    process = stack.start()
    try:
        await stack.bus.append(story[:40])
        await stack.until_recorded()
        server.stop()
        await stack.bus.append(story[40:])
        await stack.until_recorded()
        await stack.until(has_told(stack, "connection_lost", STACK), "the outage is told")
        assert not has_told(stack, "report_ready")()
        server = server.again()
        await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
        assert has_told(stack, "connection_restored", STACK)()
        with psycopg.connect(server.url, autocommit=True) as database:
            await holds_the_stream(stack, database)
    finally:
        process.terminate()
        process.wait()
        server.stop()


async def test_a_postgresql_that_stands_still_holds_up_neither_the_stream_nor_the_files(
    stack: Stack, database: psycopg.Connection[tuple[object, ...]], recorder: "subprocess.Popen[bytes]"
) -> None:
    story = Story().whole(300)
    await stack.bus.append(story[:20])
    await stored_in_database(stack, database)
    with psycopg.connect(database.info.dsn) as other:
        other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        before = rows(database, "SELECT sequence FROM recorder_position")
        await told_in_parts(stack, story[20:])
        await stack.until_recorded()
        assert rows(database, "SELECT sequence FROM recorder_position") == before
        assert not has_told(stack, "report_ready")()
    await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
    await holds_the_stream(stack, database)


async def test_a_recorder_that_was_frozen_amid_a_flood_misses_nothing(
    stack: Stack, database: psycopg.Connection[tuple[object, ...]], recorder: "subprocess.Popen[bytes]"
) -> None:
    story = Story().whole(900)
    await stack.bus.append(story[:20])
    await stack.until_recorded()
    recorder.send_signal(signal.SIGSTOP)
    await told_in_parts(stack, story[20:])
    recorder.send_signal(signal.SIGCONT)
    await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
    others = [line for line in stack.recorded() if b'"service":"recorder"' not in line]
    assert others == [encode(event) for event in story]
    assert stack.recorded() == (await stack.lines())[: len(stack.recorded())]
    await holds_the_stream(stack, database)


async def test_puts_aside_what_is_no_event_and_goes_on(
    stack: Stack, recorder: "subprocess.Popen[bytes]", database: psycopg.Connection[tuple[object, ...]]
) -> None:
    story = Story().whole(5)
    client = stack.bus.connection.client
    for subject, payload in (
        ("events.nowhere.runner.candle_closed", b"{}"),
        (f"events.{SESSION}.runner.sunrise", b'{"type":"sunrise"}'),
        (subject_of(story[0]), b"\xff\x00"),
    ):
        await client.request(subject, payload, timeout=30)
    await stack.bus.append(story)
    await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
    assert stack.recorded()[: len(story)] == [encode(event) for event in story]
    assert await stack.bus.last_sequence(DEADLETTER) == 3


async def test_records_a_copy_of_a_fact_in_the_stream_only_once(
    stack: Stack, recorder: "subprocess.Popen[bytes]"
) -> None:
    story = Story().whole(5)
    client = stack.bus.connection.client
    for event in [*story[:8], *story[3:]]:
        await client.request(subject_of(event), encode(event), timeout=30)
    await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
    assert stack.recorded()[: len(story)] == [encode(event) for event in story]
    await stack.until(lambda: list(findings(stack.sessions / SESSION)) == [], "the folder is valid")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_rebuild_makes_the_same_folder_and_rows_from_the_stream(
    stack: Stack, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    other = "11111111-2222-4333-8444-555555555555"
    process = stack.start()
    events: list[Event] = [*Story().whole(25), *Story(session_id=other, name="other", seed=2).whole(12)]
    await stack.bus.append(events)
    for session_id in (SESSION, other):
        await stack.until(has_told(stack, "report_ready", session_id), "report_ready is recorded")
    process.terminate()
    assert process.wait() == 0
    before = {session_id: contents(stack.sessions / session_id) for session_id in (SESSION, other)}
    tables = ("events", "orders", "fills", "trades", "equity", "sessions")
    rows_before = {table: sorted(map(str, rows(database, f"SELECT * FROM {table}"))) for table in tables}

    (stack.sessions / SESSION / "events.jsonl").write_bytes(b"damaged\n")
    database.execute("DELETE FROM fills")
    for arguments in (("rebuild", SESSION), ("rebuild",)):
        status, output = await stack.command(*arguments)
        assert status == 0, output
        for session_id, files in before.items():
            after = contents(stack.sessions / session_id)
            assert {name: after[name] for name in files if name != "report.html"} == {
                name: content for name, content in files.items() if name != "report.html"
            }
    assert {table: sorted(map(str, rows(database, f"SELECT * FROM {table}"))) for table in tables} == rows_before


def is_closed(stack: Stack) -> bool:
    """Whether the last line is a head that vouches for all before it."""
    lines = stack.recorded()
    last: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return last.get("type") == "audit_head" and last["details"]["count"] == len(lines) - 1


async def test_a_recorded_session_verifies_offline_and_what_was_tampered_with_is_named(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story().whole(120)
    process = stack.start()
    await stack.bus.append(story[:200])
    await stack.until_recorded()
    process.terminate()
    assert process.wait() == 0
    assert is_closed(stack)
    process = stack.start()
    await stack.bus.append(story[200:])
    await stack.until(lambda: len(stack.recorded()) > 250, "more is recorded")
    process.kill()
    process.wait()
    process = stack.start()
    await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
    await stack.until(lambda: is_closed(stack), "the session is closed")
    process.terminate()
    assert process.wait() == 0
    assert stack.recorded() == await stack.lines()

    monkeypatch.setenv("DATA_DIR", str(stack.data))
    assert main(["verify", SESSION[:8]]) == 0
    assert f"lines 1 to {len(stack.recorded()) - 1} are proven" in capsys.readouterr().out
    lines = stack.recorded()
    lines[99] = lines[99].replace(b'"level":"info"', b'"level":"debug"')
    (stack.sessions / SESSION / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    assert main(["verify", SESSION[:8]]) == 1
    assert re.search(r"line 100 \(\w+\) was changed", capsys.readouterr().out)


async def test_a_second_recorder_on_the_same_folder_is_refused(
    stack: Stack, recorder: "subprocess.Popen[bytes]"
) -> None:
    await stack.bus.append(Story().whole(3))
    await stack.until_recorded()
    status, output = await stack.command("rebuild")
    assert status == 1
    assert "stop it first" in output


async def test_goes_on_from_its_snapshot_although_files_and_tables_are_ahead_of_it_and_rebuild_removes_it(
    stack: Stack, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    story, snapshot = Story().whole(120), stack.data / "snapshots" / "recorder" / "sessions.snapshot"
    process = stack.start()
    await stack.bus.append(story[:200])
    await stack.until_recorded()
    await stored_in_database(stack, database)
    process.terminate()
    assert process.wait() == 0
    kept = snapshot.read_bytes()
    for part in (story[200:240], story[240:280]):
        process = stack.start()
        await stack.bus.append(part)
        await stack.until_recorded()
        await stored_in_database(stack, database)
        process.kill()
        process.wait()
    assert snapshot.read_bytes() == kept
    process = stack.start()
    await stack.bus.append(story[280:])
    await stack.until(has_told(stack, "report_ready"), "report_ready is recorded")
    await stack.until_recorded()
    await holds_the_stream(stack, database)
    process.terminate()
    assert process.wait() == 0

    assert "snapshot passed over" not in (stack.data.parent / "recorder.log").read_text()
    assert stack.recorded() == await stack.lines()
    assert list(findings(stack.sessions / SESSION)) == []
    assert snapshot.read_bytes() != kept
    assert (await stack.command("rebuild"))[0] == 0
    assert not snapshot.exists()
