"""How every service runs: settings, log, bus, health; then its own work; then a clear end."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog

from shared.runtime.bus import Bus
from shared.runtime.collector import spare_the_collector
from shared.runtime.errors import FatalError, LeitstandError
from shared.runtime.health import Health
from shared.runtime.log import configure_log
from shared.runtime.settings import Settings, load_settings
from shared.schemas.values import Service as ServiceName


@dataclass(frozen=True)
class Context:
    """What a service is given. It ends its work soon after `stopping` is set."""

    name: ServiceName
    settings: Settings
    bus: Bus
    log: structlog.typing.FilteringBoundLogger
    health: Health
    stopping: asyncio.Event

    def ready(self) -> None:
        """Everything that readiness depends on is required by now: /readyz no longer says that the service starts."""
        self.health.require("service", lambda: None)


Main = Callable[[Context], Awaitable[int]]


def run(name: ServiceName, main: Main) -> NoReturn:
    """Run the service `name` and leave the process with the status that `main` answers.

    SIGTERM and SIGINT set `context.stopping`; a second one breaks off. A LeitstandError is told in one line and ends
    with its own status (2 for a wrong setting, else 1), anything unforeseen with its traceback and 1.
    """
    sys.exit(_status(name, main))


def _status(name: ServiceName, main: Main) -> int:
    try:
        settings = load_settings()
    except LeitstandError as error:
        return _told(name, error)
    log = configure_log(settings, name)
    try:
        return asyncio.run(_serve(name, settings, log, main))
    except LeitstandError as error:
        return _told(name, error)
    except asyncio.CancelledError:
        return 1
    except Exception:
        log.exception("unforeseen failure")
        return 1


def _told(name: str, error: LeitstandError) -> int:
    print(f"{name}: {error}", file=sys.stderr)
    return error.exit_status


async def _serve(name: ServiceName, settings: Settings, log: structlog.typing.FilteringBoundLogger, main: Main) -> int:
    stopping = asyncio.Event()
    _obey_signals(stopping)
    health = Health(settings.metrics_host, settings.metrics_port)
    try:
        health.require("service", lambda: "starting")
        health.require("bus", lambda: "not connected yet")
        health.announce(settings.data_dir / "run" / f"metrics-{name}.url")
        bus = await Bus.connect(settings, name)
        health.require("bus", lambda: bus.problem)
        try:
            await bus.ensure_streams()
            spare_the_collector()
            log.info("started", mode=settings.mode, metrics=health.url)
            return await _until_bus_ends(main(Context(name, settings, bus, log, health, stopping)), bus)
        finally:
            await bus.close()
    finally:
        health.close()


async def _until_bus_ends(work: Awaitable[int], bus: Bus) -> int:
    task = asyncio.ensure_future(work)
    either: set[asyncio.Future[Any]] = {task, bus.connection.closed}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait({task})
    raise FatalError(f"{bus.problem}; the service ends, to be started again")


def _obey_signals(stopping: asyncio.Event) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def obey() -> None:
        if stopping.is_set() and task is not None:
            task.cancel()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, obey)
