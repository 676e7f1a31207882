"""The bus, the guard and a runner on a trial's clock; the runner can be killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from deploy.embedded.nats_server import NatsServer, start_nats
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from shared.schemas.codec import decode
from shared.schemas.subjects import ALL_EVENTS, EVENTS
from shared.schemas.values import STACK
from tests.service_process import ROOT
from tests.trials.record import Record


class TrialStack:
    """The services of a `session` at `venue`, below `folder`. `record` is what the bus has told so far."""

    def __init__(self, folder: Path, clock: Path, venue: str, session: Path, settings: Mapping[str, str]) -> None:
        self.record = Record()
        self._folder = folder
        self._clock = clock
        self._venue = venue
        self._session = session
        self._settings = settings
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._nats: NatsServer = start_nats(self._folder / "nats")
        self._bus = await Bus.connect(Settings(nats_url=self._nats.url), "recorder")
        await self._bus.ensure_streams()
        self._listening = asyncio.ensure_future(self._listen())
        self.start("risk", "run")
        self.start_runner()
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._bus.close()
        self._nats.stop()

    def start(self, service: str, *arguments: str) -> None:
        """Start a service."""
        with (self._folder / f"{service}.log").open("ab") as log:
            self._processes[service] = subprocess.Popen(
                [sys.executable, "-m", "tests.trials.at_speed", str(self._clock), self._venue, service, *arguments],
                cwd=ROOT,
                env=self._environment(),
                stdout=log,
                stderr=log,
            )

    def _environment(self) -> Mapping[str, str]:
        clean = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        own = {
            "NATS_URL": self._nats.url,
            "DATA_DIR": str(self._folder / "data"),
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": "0",
        }
        return {**clean, **own, **self._settings}

    def start_runner(self) -> None:
        """Start the runner on the trial's session."""
        self.start("runner", "run", "--session", str(self._session))

    def kill(self, service: str) -> None:
        """SIGKILL."""
        self._processes[service].kill()
        self._processes[service].wait()

    def freeze(self, service: str) -> None:
        """SIGSTOP."""
        self._processes[service].send_signal(signal.SIGSTOP)

    def thaw(self, service: str) -> None:
        """SIGCONT."""
        self._processes[service].send_signal(signal.SIGCONT)

    def lose_bus(self) -> None:
        """The bus's server dies (SIGKILL)."""
        self._nats.kill()

    def find_bus(self) -> None:
        """It is there again, with what it had stored."""
        self._nats = self._nats.again()

    async def command(self, name: str, payload: bytes = b"") -> None:
        """Ask for something on the CONTROL stream."""
        await self._bus.command(name, None, payload)

    def stop_runner(self) -> None:
        """SIGTERM: end the session in good order."""
        self._processes["runner"].send_signal(signal.SIGTERM)

    @property
    def url(self) -> str:
        """Where the bus's server is."""
        return self._nats.url

    @property
    def bus(self) -> Bus:
        """The trial's own connection to the bus."""
        return self._bus

    @property
    def runner_pid(self) -> int:
        """The runner's process, or the last that there was."""
        return self._processes["runner"].pid

    @property
    def runner_status(self) -> int | None:
        """The runner's exit status, None while it runs."""
        return self._processes["runner"].poll()

    def said(self, service: str) -> str:
        """A service's output so far."""
        return (self._folder / f"{service}.log").read_text()

    async def replayed(self) -> Sequence[str]:
        """What was different when the session was decided again from the stream; nothing if all was the same."""
        replay = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.runner", "replay"),
            cwd=ROOT,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await replay.communicate()
        return (said.decode(),) if replay.returncode else ()

    async def news(self, seconds: float) -> None:
        """Return when the bus has told something, or after `seconds`."""
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    async def _listen(self) -> None:
        async for delivery in self._bus.follow(EVENTS, [ALL_EVENTS], 1):
            event = decode(delivery.subject, delivery.payload)
            if event.session_id != STACK:
                self.record.take(event)
                self._news.set()
