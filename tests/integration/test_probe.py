"""The container engine's question whether a service is ready, asked of a real health server."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from shared.runtime import probe
from shared.runtime.health import Health


@pytest.fixture
async def health() -> AsyncIterator[Health]:
    server = Health("127.0.0.1", 0)
    yield server
    server.close()


def asked(port: int) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "METRICS_PORT": str(port)}
    command = [sys.executable, "-I", "-S", probe.__file__]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180, check=False)


async def test_a_ready_service_is_told_by_status_0(health: Health) -> None:
    health.require("bus", lambda: None)
    answer = asked(int(urlsplit(health.url).port or 0))
    assert (answer.returncode, answer.stdout) == (0, '{"bus": "ok"}\n')


async def test_a_service_that_is_not_ready_is_told_by_status_1_and_its_reason(health: Health) -> None:
    health.require("bus", lambda: "not connected yet")
    answer = asked(int(urlsplit(health.url).port or 0))
    assert (answer.returncode, answer.stdout) == (1, '{"bus": "not connected yet"}\n')


def test_nobody_listening_is_told_by_status_1() -> None:
    answer = asked(1)
    assert answer.returncode == 1
    assert "refused" in answer.stderr
