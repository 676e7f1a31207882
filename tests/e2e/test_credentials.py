"""Keys and secrets are in the environment and nowhere else: no log, event, metric, page, table or repr holds them."""

import asyncio
import re
import traceback
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from psycopg import sql
from pydantic import SecretStr

from deploy.embedded.postgres_server import start_postgres
from services.recorder.database import SESSION_TABLES, Connection, connect
from services.recorder.export import export
from shared.runtime.settings import Settings
from shared.venues import alpaca, binance
from shared.venues.trouble import VenueError
from tests.trials.binance import Trial
from tests.trials.storm import faults
from tests.venues.binance.account import KEY, SECRET

CREDENTIALS = (KEY, SECRET)


@dataclass
class Recorded(Trial):
    """A trial of which the recorder keeps files and tables; each service has the settings of all."""

    database: str = ""

    def settings(self) -> Mapping[str, str]:
        return {**super().settings(), "DATABASE_URL": self.database}


async def test_a_session_in_trouble_leaves_its_credentials_in_no_log_event_metric_page_table_or_file(
    tmp_path: Path,
) -> None:
    pages: list[bytes] = []

    async def look(trial: Recorded, minute: int) -> None:
        if minute == 0:
            trial.stack.start("recorder", "run")
        if minute % 10 == 5:
            pages.extend(await asyncio.to_thread(_pages, trial.folder / "data" / "run"))
            pages.append(_command_lines(trial.folder))

    async def tables_and_export(trial: Recorded) -> None:
        with connect(trial.database) as connection:
            while not connection.execute("SELECT 1 FROM events WHERE type = 'runner_end'").fetchall():
                await asyncio.sleep(0.1)
            pages.extend(_rows(connection))
        session = trial.stack.record.facts[0].session_id
        export(trial.folder / "data" / "sessions" / session, tmp_path / "session.zip")
        with ZipFile(tmp_path / "session.zip") as archive:
            pages.extend(archive.read(name) for name in archive.namelist())

    with start_postgres(tmp_path / "postgres") as postgres:
        faulty = faults(0.03, seed=4)
        trial = Recorded(
            tmp_path,
            40,
            patience=1.0,
            trouble=look,
            faults=faulty,
            before_the_end=tables_and_export,
            database=postgres.url,
        )
        await trial.run()
    assert trial.faults.drawn.total() > 20
    assert any(b"leitstand_venue_call_seconds" in page for page in pages), "the runner's metrics"
    assert any(b"tests.trials.at_speed" in page for page in pages), "a command line"
    assert any(b"order_intended" in page for page in pages), "a table of events"
    assert all(secret.encode() not in page for page in pages for secret in CREDENTIALS)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"runner.log", "risk.log", "recorder.log", "events.jsonl"} <= {path.name for path in files}
    assert any("snapshots" in path.parts for path in files)
    found = [path for path in files if any(secret.encode() in path.read_bytes() for secret in CREDENTIALS)]
    assert found == []
    assert not any(re.search(rb"signature=[0-9a-f]{20}", path.read_bytes()) for path in files), "a signed request"


def _command_lines(folder: Path) -> bytes:
    """How the trial's processes were called, as everybody on the machine can read it."""
    told = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    return b"\n".join(line for line in told if str(folder).encode() in line)


def _rows(connection: Connection) -> list[bytes]:
    found: list[bytes] = []
    for table in SESSION_TABLES:
        rows = connection.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table)))
        found += [row.encode() for (row,) in rows]
    return found


async def test_no_traceback_of_a_call_that_failed_shows_a_credential_or_a_signed_request() -> None:
    account = binance.account(binance.Access(True, KEY, SECRET, "http://127.0.0.1:9"))
    try:
        await account.open_orders(["BTCUSDT"])
    except VenueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    finally:
        await account.close()
    assert "VenueError" in shown
    assert not any(secret in shown for secret in (*CREDENTIALS, "signature="))


def _pages(run: Path) -> list[bytes]:
    desk = (run / "desk.url").read_text().strip()
    addresses = [f"{desk}/{page}" for page in ("", "api/status", "api/events?limit=100")]
    for path in run.glob("metrics-*.url"):
        addresses += [f"{path.read_text().strip()}/{page}" for page in ("metrics", "healthz", "readyz")]
    return [urllib.request.urlopen(address, timeout=5).read() for address in addresses]


def test_no_repr_of_settings_or_access_shows_a_credential() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert len(secrets) > 10
    hidden: dict[str, Any] = dict.fromkeys(secrets, SecretStr("hidden")) | {"nats_url": "nats://me:hidden@host"}
    settings = Settings.model_construct(**hidden)
    shown = [settings, binance.Access(True, "hidden", "hidden"), alpaca.Access(True, "hidden", "hidden")]
    assert not any("hidden" in repr(each) + str(each) for each in shown)
