"""Each service starts with nothing installed but its own dependency group."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.containers import engine_answers

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(not engine_answers(), reason="no container engine answers here"),
]

ROOT = Path(__file__).parents[2]


def _done(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)


def _install(python: Path, group: str, *options: str) -> None:
    head = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = _done([*head, *options, "--require-hashes", "-r", f"requirements/{group}.txt"])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("service", ["runner", "risk", "notifier", "recorder"])
def test_a_service_starts_with_its_own_dependency_group_alone(service: str, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=True, symlinks=sys.platform != "win32")
    python = tmp_path / "bin" / "python"
    _install(python, "build")
    _install(python, service, "--no-build-isolation")
    done = _done([str(python), "-m", f"services.{service}", "--help"])
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
