"""`python -m deploy.embedded.demo`: one dry-run session from start to end, with nothing else installed.

Starts an embedded NATS server, an embedded PostgreSQL and the four services, shows how the session goes, and ends
everything again. Exit status 0 when the session ended in good order, which a kill and Ctrl-C are.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from rich.console import Console

from deploy.embedded.closing import print_summary
from deploy.embedded.display import Scene, show
from deploy.embedded.endpoints import OccupiedError, desk_url, metrics_urls, sole_use
from deploy.embedded.following import Follower
from deploy.embedded.keeping import GivenUpError, environment, python
from deploy.embedded.nats_server import NatsServerError
from deploy.embedded.options import Options, parse
from deploy.embedded.postgres_server import PostgresServerError
from deploy.embedded.readiness import Readiness
from deploy.embedded.stack import LOOK_SECONDS, RUNNER, Stack, wait_for
from deploy.embedded.terminal import foreground
from shared.runtime.companions import accompanied
from shared.runtime.errors import LeitstandError
from shared.runtime.settings import load_settings

REPORT_WITHIN_SECONDS = 120.0
LISTENING_WITHIN_SECONDS = 20.0
GOOD_ENDS = ("success", "killed")
FAILURES = (LeitstandError, GivenUpError, NatsServerError, PostgresServerError, OccupiedError)


def commands(options: Options) -> dict[str, tuple[str, ...]]:
    """How each service is started."""
    runner = [*python("-m", "services.runner", "run", "--session", str(options.session), "--speed", options.speed)]
    runner += ["--duration", options.duration] if options.duration else []
    runner += [word for path in options.candles for word in ("--candles", str(path))]
    others = {name: python("-m", f"services.{name}", "run") for name in ("risk", "recorder", "notifier")}
    return {**others, RUNNER: tuple(runner)}


class Demo:
    """One run of the demo on a stack."""

    def __init__(self, data_dir: Path, started: Mapping[str, Sequence[str]], console: Console) -> None:
        self._stack = Stack(data_dir, started)
        self._console = console
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._follower: Follower | None = None
        self._readiness = Readiness(lambda: metrics_urls(self._stack.run))

    def interrupt(self) -> None:
        """Ask for an orderly end; asked again, end at once."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    async def run(self) -> int:
        """Trade the session; answers the exit status."""
        try:
            await self._stack.open()
            follower = self._follower = Follower(load_settings(environment(**self._stack.settings)))
            await accompanied(
                self._trade(follower),
                follower.follow(),
                self._readiness.watch(),
                self._tell_desk(),
                show(self._console, self._scene),
            )
        finally:
            await self._stack.close()
        return self._concluded()

    async def _trade(self, follower: Follower) -> None:
        await wait_for(follower.listening, LISTENING_WITHIN_SECONDS, self._stopping.is_set)
        keeping = asyncio.create_task(self._stack.keep())
        obeying = asyncio.create_task(self._obey())
        try:
            await keeping
            if (follower.view is not None and follower.view.end is not None) or not self._stopping.is_set():
                await wait_for(follower.reported, REPORT_WITHIN_SECONDS, self._hurry.is_set)
        finally:
            for task in (keeping, obeying):
                task.cancel()

    async def _tell_desk(self) -> None:
        told = None
        while True:
            if (url := desk_url(self._stack.run)) not in (None, told):
                self._console.print(f"Control desk: {url}", highlight=False)
                told = url
            await asyncio.sleep(LOOK_SECONDS)

    async def _obey(self) -> None:
        await self._stopping.wait()
        self._stack.keepers[RUNNER].stop()
        await self._hurry.wait()
        self._stack.hurry()

    def _scene(self) -> Scene:
        words = {name: self._readiness.told.get(name, "starting") for name in self._stack.keepers}
        down = {name: keeper.state for name, keeper in self._stack.keepers.items() if keeper.state != "running"}
        return Scene(self._follower.view if self._follower else None, {**words, **down}, self._advice())

    def _advice(self) -> str | None:
        if self._stopping.is_set():
            return "ending in good order; Ctrl-C again ends at once"
        view = self._follower.view if self._follower else None
        if view is None or view.halt is None or view.end is not None:
            return None
        resume = f"DATA_DIR={self._stack.data_dir} {sys.executable} -m services.risk resume --reason '…'"
        return f"{view.status}: {view.halt.reason}. To let trading go on: {resume}"

    def _concluded(self) -> int:
        view = self._follower.view if self._follower else None
        if view is None:
            self._console.print("No session was traded.")
            return 0 if self._stopping.is_set() else 1
        print_summary(self._console, self._stack.data_dir / "sessions" / view.summary.session_id)
        if view.end is None:
            self._console.print("The session has not ended; the next `make demo` takes it up again.")
            return 0 if self._stopping.is_set() else 1
        self._console.print(f"Session ended: {view.end.status}, {view.end.details.reason}.", highlight=False)
        return 0 if view.end.status in GOOD_ENDS else 1


async def _demo(options: Options, console: Console) -> int:
    demo = Demo(options.data_dir, commands(options), console)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, demo.interrupt)
    return await demo.run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; answers the exit status."""
    console = Console()
    # The display tells how the bus is; log lines would tear it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        options = parse(arguments)
        with sole_use(options.data_dir / "run"), foreground():
            return asyncio.run(_demo(options, console))
    except FAILURES as error:
        with suppress(BrokenPipeError):
            print(f"demo: {error}", file=sys.stderr)
        return getattr(error, "exit_status", 1)


if __name__ == "__main__":
    sys.exit(main())
