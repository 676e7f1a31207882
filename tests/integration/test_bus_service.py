"""How services start and end as processes: exit status, one clear line, health, signals."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from deploy.embedded.nats_server import start_nats

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds; a machine at its limit is slow to start a process."""
WAITING = """
    from shared.runtime import service
    async def main(context):
        context.health.require("database", lambda: None)
        context.ready()
        await context.stopping.wait()
        return 0
    service.run("recorder", main)
"""


@contextmanager
def started(code: str, folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environ = {**clean, "PYTHONPATH": str(ROOT), "DATA_DIR": str(folder / "data"), **settings}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    process = subprocess.Popen(command, cwd=folder, env=environ, text=True, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(code: str, folder: Path, **settings: str) -> tuple[int, str]:
    with started(code, folder, **settings) as process:
        _, said = process.communicate(timeout=PATIENCE)
        return process.returncode, said


def announced(folder: Path, within: float = PATIENCE) -> str:
    path, deadline = folder / "data" / "run" / "metrics-recorder.url", time.monotonic() + within
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, "the service never announced its health server"
        time.sleep(0.02)
    return path.read_text().strip()


def asked(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def until(url: str, status: int, within: float = PATIENCE) -> str:
    deadline = time.monotonic() + within
    while True:
        seen, body = asked(url)
        if seen == status:
            return body
        assert time.monotonic() < deadline, f"{url} stayed at {seen}: {body}"
        time.sleep(0.05)


def test_a_wrong_setting_ends_the_service_with_status_2_before_it_connects(tmp_path: Path) -> None:
    status, said = ended(WAITING, tmp_path, NATS_URL="nats://127.0.0.1:1", BINANCE_BASE_URL="https://x/path")
    assert status == 2
    assert said == "recorder: BINANCE_BASE_URL must be an origin only, without user, path or query\n"


def test_an_unknown_name_in_the_dotenv_file_ends_the_service_with_status_2(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TELEGRAM_TOKEN=abc\n")
    status, said = ended(WAITING, tmp_path)
    assert status == 2
    assert "TELEGRAM_TOKEN is not a setting" in said
    assert "Traceback" not in said


def test_tells_that_it_is_alive_and_ready_and_ends_in_good_order(tmp_path: Path, nats_url: str) -> None:
    with started(WAITING, tmp_path, NATS_URL=nats_url) as process:
        url = announced(tmp_path)
        assert json.loads(until(f"{url}/readyz", 200)) == {"service": "ok", "bus": "ok", "database": "ok"}
        assert asked(f"{url}/healthz") == (200, "alive\n")
        assert asked(f"{url}/nowhere")[0] == 404
        metrics = asked(f"{url}/metrics")[1]
        assert "leitstand_bus_connected 1.0" in metrics
        assert "leitstand_start_time_seconds" in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert not list((tmp_path / "data" / "run").glob("metrics-*.url"))


def test_a_service_is_not_ready_before_it_says_so(tmp_path: Path, nats_url: str) -> None:
    code = WAITING.replace("context.ready()", "(context.settings.data_dir / 'begun').touch()")
    with started(code, tmp_path, NATS_URL=nats_url):
        url, deadline = announced(tmp_path), time.monotonic() + PATIENCE
        while not (tmp_path / "data" / "begun").exists():
            assert time.monotonic() < deadline, "the service's own work never began"
            time.sleep(0.02)
        status, body = asked(f"{url}/readyz")
    assert status == 503
    assert json.loads(body) == {"service": "starting", "bus": "ok", "database": "ok"}


def test_an_open_scrape_does_not_keep_a_service_from_ending(tmp_path: Path, nats_url: str) -> None:
    with started(WAITING, tmp_path, NATS_URL=nats_url) as process:
        parts = urlsplit(announced(tmp_path))
        connection = HTTPConnection(str(parts.hostname), parts.port)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"alive\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        connection.close()


def test_a_client_that_breaks_off_leaves_no_traceback(tmp_path: Path, nats_url: str) -> None:
    with started(WAITING, tmp_path, NATS_URL=nats_url) as process:
        parts = urlsplit(announced(tmp_path))
        with socket.create_connection((str(parts.hostname), parts.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() resets
            client.send(b"GET /readyz HT")
        assert asked(f"{parts.geturl()}/healthz")[0] == 200
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in said


def test_readiness_turns_red_while_the_bus_is_gone(tmp_path: Path) -> None:
    server = start_nats(tmp_path / "nats")
    try:
        with started(WAITING, tmp_path, NATS_URL=server.url) as process:
            url = announced(tmp_path)
            until(f"{url}/readyz", 200)
            server.kill()
            assert "NATS" in json.loads(until(f"{url}/readyz", 503))["bus"]
            assert asked(f"{url}/healthz")[0] == 200
            server = server.again()
            until(f"{url}/readyz", 200)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("failure", "status", "line"),
    [
        ('FatalError("the disk is full; make room")', 1, "recorder: the disk is full; make room"),
        ('SettingsError("SESSION names no file")', 2, "recorder: SESSION names no file"),
    ],
)
def test_an_understood_failure_is_told_in_one_line(
    tmp_path: Path, nats_url: str, failure: str, status: int, line: str
) -> None:
    code = f"""
    from shared.runtime import service
    from shared.runtime.errors import FatalError, SettingsError
    async def main(context):
        raise {failure}
    service.run("recorder", main)
    """
    seen, said = ended(code, tmp_path, NATS_URL=nats_url)
    assert seen == status
    assert said.splitlines()[-1] == line
    assert "Traceback" not in said


def test_an_unforeseen_failure_shows_its_traceback_without_secrets(tmp_path: Path, nats_url: str) -> None:
    code = """
    from shared.runtime import service
    async def main(context):
        context.log.info("about to fail", token=context.settings.desk_token.get_secret_value())
        raise ZeroDivisionError(context.settings.desk_token.get_secret_value())
    service.run("recorder", main)
    """
    for log_format in ("console", "json"):
        status, said = ended(code, tmp_path, NATS_URL=nats_url, DESK_TOKEN="hunter2", LOG_FORMAT=log_format)
        assert status == 1
        assert "ZeroDivisionError" in said
        assert "hunter2" not in said


def test_a_metrics_port_that_is_taken_is_named(tmp_path: Path, nats_url: str) -> None:
    port = nats_url.rsplit(":", 1)[1]
    status, said = ended(WAITING, tmp_path, NATS_URL=nats_url, METRICS_PORT=port)
    assert status == 2
    assert "METRICS_PORT" in said
