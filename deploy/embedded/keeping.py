"""Keeps one service running: starts it, starts it again when it dies, and ends it in good order."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.leash import Leash
from shared.runtime import clock

WRONG_SETTINGS = 2
"""The exit status of a service that will not come up however often it is started."""


class GivenUpError(RuntimeError):
    """A service does not stay up; the message says which, its status and its last words."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`deaths` within `seconds` are too many. The pause before a new start doubles from `first_pause` on."""

    deaths: int = 5
    seconds: float = 30.0
    first_pause: float = 0.2


@dataclass
class Keeper:
    """One service. `ends_itself`: exit status 0 means that its work is done, not that it died."""

    name: str
    command: Sequence[str]
    environment: Callable[[], Mapping[str, str]]
    log: Path
    leash: Leash
    ends_itself: bool = False
    patience: Patience = Patience()
    restarts: int = 0
    state: str = "starting"
    _process: Process | None = None
    _stopping: bool = False
    _deaths: deque[float] = field(default_factory=deque)

    async def keep(self) -> None:
        """Return once the service has ended for good; GivenUpError when it does not stay up."""
        while not self._stopping:
            status = await self._run_once()
            if self._stopping or (status == 0 and self.ends_itself):
                break
            self._note_death(status)
            self.state = "restarting"
            await asyncio.sleep(self.patience.first_pause * 2 ** (len(self._deaths) - 1))
            self.restarts += 1
        self.state = "ended"

    async def _run_once(self) -> int:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment()),
                start_new_session=True,
            )
        self.leash.hold(self._process.pid)
        self.state = "running"
        if self._stopping:
            self._send(signal.SIGTERM)
        try:
            return await self._process.wait()
        finally:
            self._send(signal.SIGKILL)
            self.leash.release(self._process.pid)

    def _note_death(self, status: int) -> None:
        now = clock.monotonic()
        self._deaths.append(now)
        while self._deaths[0] < now - self.patience.seconds:
            self._deaths.popleft()
        if status == WRONG_SETTINGS or len(self._deaths) >= self.patience.deaths:
            self.state = "given up"
            often = "" if status == WRONG_SETTINGS else f" {len(self._deaths)} times in {self.patience.seconds:.0f} s"
            raise GivenUpError(f"{self.name} ended with status {status}{often}:\n{last_words(self.log)}")

    @property
    def pid(self) -> int | None:
        """The process id while the service runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    def stop(self) -> None:
        """Ask the service to end; `keep` then returns instead of starting it again."""
        self._stopping = True
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End the service at once."""
        self._stopping = True
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


def last_words(log: Path, lines: int = 12) -> str:
    """The end of a service's log, and where the rest is."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    told = "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (it said nothing)"
    return f"{told}\n    (log: {log})"


def python(*arguments: str) -> tuple[str, ...]:
    """The command that runs this Python with `arguments`."""
    return (sys.executable, "-u", *arguments)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without the demo's own variables, with `settings`."""
    own = ("SESSION", "CANDLES", "SPEED", "DURATION")
    return {**{name: value for name, value in os.environ.items() if name not in own}, **settings}
