"""Services as processes of their own, to be frozen, killed and asked what they said."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 300.0
"""A machine at its limit is slow to start a process."""


class ServiceProcess:
    """`python -m services.<name> <arguments>`; what it says goes to a file of its own."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str], *arguments: str) -> None:
        clean = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"{name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"services.{name}", *arguments],
                cwd=folder,
                env={**clean, "PYTHONPATH": str(ROOT), **environment},
                stdout=log,
                stderr=log,
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended; a frozen process has not."""
        return self._process.poll() is None

    @property
    def said(self) -> str:
        """Its output so far."""
        return self._log.read_text()

    def freeze(self) -> None:
        """Let it stand still, wherever it is (SIGSTOP)."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had been (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)

    def ask_to_end(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def status(self) -> int:
        """Its exit status, once it has ended."""
        return self._process.wait(PATIENCE_SECONDS)


@contextmanager
def service_process(name: str, folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[ServiceProcess]:
    """A service under way; ended by force when the block is left."""
    process = ServiceProcess(name, folder, environment, *arguments)
    try:
        yield process
    finally:
        process.kill()
