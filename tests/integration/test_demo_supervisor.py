import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from deploy.embedded.endpoints import OccupiedError, metrics_urls, remove_endpoints, sole_use, write_endpoints
from deploy.embedded.keeping import GivenUpError, Keeper, Patience
from deploy.embedded.leash import Leash
from deploy.embedded.postgres_server import start_postgres
from deploy.embedded.stack import RUNNER, Stack

QUICK = Patience(deaths=3, seconds=60, first_pause=0.01)


@pytest.fixture
async def leash() -> AsyncIterator[Leash]:
    held = Leash()
    yield held
    held.close()


def keeper(tmp_path: Path, leash: Leash, code: str, *, ends_itself: bool = False) -> Keeper:
    command = (sys.executable, "-S", "-c", code)
    return Keeper(
        "fake", command, lambda: {"HERE": str(tmp_path)}, tmp_path / "fake.log", leash, ends_itself, patience=QUICK
    )


async def until_exists(path: Path) -> None:
    async with asyncio.timeout(60):
        while not path.exists():
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended but that nobody has asked after does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


DIES_ONCE = """
import os, pathlib, sys
mark = pathlib.Path(os.environ["HERE"], "died")
if not mark.exists():
    mark.touch(); os.kill(os.getpid(), 9)
"""


async def test_a_service_that_dies_is_started_again_and_ends_its_work(tmp_path: Path, leash: Leash) -> None:
    service = keeper(tmp_path, leash, DIES_ONCE, ends_itself=True)
    await service.keep()
    assert service.restarts == 1
    assert service.state == "ended"


async def test_a_service_that_does_not_stay_up_is_given_up_with_its_last_words(tmp_path: Path, leash: Leash) -> None:
    service = keeper(tmp_path, leash, "import sys; sys.exit('no such table')")
    with pytest.raises(GivenUpError, match=r"fake ended with status 1 3 times(.|\n)*no such table"):
        await service.keep()


async def test_a_wrong_setting_is_told_at_once(tmp_path: Path, leash: Leash) -> None:
    service = keeper(tmp_path, leash, "import sys; print('SPEED: wrong'); sys.exit(2)")
    with pytest.raises(GivenUpError, match=r"status 2:(.|\n)*SPEED: wrong"):
        await service.keep()
    assert service.restarts == 0


ENDS_IN_ORDER = """
import os, pathlib, signal, sys
here = pathlib.Path(os.environ["HERE"])
def end(*_):
    (here / "orderly").touch(); sys.exit(0)
signal.signal(signal.SIGTERM, end)
(here / "up").touch()
signal.pause()
"""


async def test_a_service_that_is_asked_to_stop_ends_in_order_and_stays_ended(tmp_path: Path, leash: Leash) -> None:
    service = keeper(tmp_path, leash, ENDS_IN_ORDER)
    keeping = asyncio.create_task(service.keep())
    await until_exists(tmp_path / "up")
    service.stop()
    await asyncio.wait_for(keeping, 60)
    assert (tmp_path / "orderly").exists()
    assert service.restarts == 0


async def test_a_bus_that_dies_once_the_runner_is_done_is_there_again_for_the_report(tmp_path: Path) -> None:
    stack = Stack(tmp_path, {RUNNER: (sys.executable, "-S", "-c", "pass")}, QUICK)
    await stack.open()
    try:
        await asyncio.wait_for(stack.keep(), 60)
        first = stack.pids()["nats"]
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(60):
            while stack.pids()["nats"] == first:
                await asyncio.sleep(0.05)
        second = stack.pids()["nats"]
        assert is_alive(second)
    finally:
        await stack.close()
    assert not is_alive(second)


SUPERVISOR = """
import subprocess, sys, time
from deploy.embedded.leash import Leash
leash = Leash()
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)
leash.hold(child.pid)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_nothing_outlives_a_supervisor_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert is_alive(child)
        os.kill(supervisor.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(child)


def test_only_one_demo_uses_a_data_folder_at_a_time(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with sole_use(run), pytest.raises(OccupiedError, match=str(os.getpid())), sole_use(run):
        pass
    with sole_use(run):
        pass


def test_endpoints_are_written_whole_and_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "metrics-risk.url").write_text("http://127.0.0.1:9102\n")
    write_endpoints(tmp_path, {"nats": "nats://127.0.0.1:4222", "metrics": metrics_urls(tmp_path)})
    assert "http://127.0.0.1:9102" in (tmp_path / "endpoints.json").read_text()
    remove_endpoints(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "folder", ["postgres", "postgres-" + 100 * "x"], ids=["short path", "path too long for a socket"]
)
def test_postgres_keeps_data_and_address_through_a_crash_and_leaves_nothing_running(
    tmp_path: Path, folder: str
) -> None:
    with start_postgres(tmp_path / folder) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("create table kept (n int)")
            connection.execute("insert into kept values (42)")
        server.process.kill()
        server.process.wait()
        with server.again() as again, psycopg.connect(server.url) as connection:
            assert connection.execute("select n from kept").fetchall() == [(42,)]
    assert not is_alive(again.process.pid)


def test_postgres_ends_a_server_that_an_earlier_run_left_behind(tmp_path: Path) -> None:
    with start_postgres(tmp_path / "postgres") as forgotten, start_postgres(tmp_path / "postgres") as server:
        assert forgotten.process.poll() is not None
        with psycopg.connect(server.url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
