"""The embedded stack: NATS, PostgreSQL and the four services, each a process of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from deploy.embedded.endpoints import desk_url, metrics_urls, remove_endpoints, write_endpoints
from deploy.embedded.keeping import Keeper, Patience, environment
from deploy.embedded.leash import Leash
from deploy.embedded.leftovers import end_leftovers
from deploy.embedded.nats_server import NatsServer, start_nats
from deploy.embedded.postgres_server import PostgresServer, start_postgres
from shared.runtime import clock
from shared.runtime.patience import set_within

RUNNER, RECORDER = "runner", "recorder"
OTHERS_END_WITHIN_SECONDS = 10.0
LOOK_SECONDS = 0.25


S = TypeVar("S", NatsServer, PostgresServer)


class Stack:
    """Everything that runs below `data_dir`. Use `open`, then `keep` until the runner is done, then `close`."""

    def __init__(self, data_dir: Path, commands: Mapping[str, Sequence[str]], patience: Patience | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.run = self.data_dir / "run"
        self._commands = commands
        self._patience = patience or Patience()
        self._leash = Leash()
        self._nats: NatsServer | None = None
        self._postgres: PostgresServer | None = None
        self.keepers: dict[str, Keeper] = {}
        self._database: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._watches: list[asyncio.Task[None]] = []
        self._closing = False

    @property
    def settings(self) -> dict[str, str]:
        """What the services are told by their environment, above what the user's own environment says."""
        assert self._nats is not None
        told = {
            "DATA_DIR": str(self.data_dir),
            "DRY_RUN": "true",
            "LIVE_TRADING": "false",
            "NATS_URL": self._nats.url,
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": "0",
        }
        return {**told, "DATABASE_URL": self._postgres.url} if self._postgres else told

    def pids(self) -> dict[str, int]:
        """The process ids of what runs now: the services by name, and `nats`."""
        services = {name: keeper.pid for name, keeper in self.keepers.items()}
        server = {"nats": self._nats.process.pid} if self._nats else {}
        return {name: pid for name, pid in {**services, **server}.items() if pid is not None}

    async def open(self) -> None:
        """Start the servers side by side; answers once the bus is there, for only the recorder needs the database."""
        self.run.mkdir(parents=True, exist_ok=True)
        remove_endpoints(self.run)
        self._database = asyncio.create_task(self._open_postgres())
        await self._open_nats()
        self.keepers = {name: self._keeper(name) for name in self._commands}

    async def _open_nats(self) -> None:
        store = self.data_dir / "nats"
        await asyncio.to_thread(end_leftovers, store / "nats.conf")
        self._nats = await asyncio.to_thread(start_nats, store)
        self._leash.hold(self._nats.process.pid)

    async def _open_postgres(self) -> None:
        self._postgres = await asyncio.to_thread(start_postgres, self.data_dir / "postgres")
        self._leash.hold(self._postgres.process.pid)

    def _keeper(self, name: str) -> Keeper:
        log = self.run / f"{name}.log"
        log.write_bytes(b"")
        return Keeper(
            name=name,
            command=self._commands[name],
            environment=lambda: environment(**self.settings),
            log=log,
            leash=self._leash,
            ends_itself=name == RUNNER,
            patience=self._patience,
        )

    def tell_endpoints(self) -> None:
        """Write endpoints.json with what is known by now."""
        told = {"nats": self.settings["NATS_URL"], "database": self.settings.get("DATABASE_URL")}
        write_endpoints(self.run, {**told, "desk": desk_url(self.run), "metrics": metrics_urls(self.run)})

    async def keep(self) -> None:
        """Keep everything running until the runner is done; GivenUpError when a service does not stay up.

        The others go on until `close`: the session's report is yet to be written.
        """
        tasks = {name: asyncio.create_task(self._keep(keeper)) for name, keeper in self.keepers.items()}
        self._watches = [asyncio.create_task(self._watch_servers()), asyncio.create_task(self._watch_endpoints())]
        self._tasks = list(tasks.values())
        while not tasks[RUNNER].done():
            done, _ = await asyncio.wait({*tasks.values(), *self._watches}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _keep(self, keeper: Keeper) -> None:
        if keeper.name == RECORDER and self._database is not None:
            await self._database
        await keeper.keep()

    async def _watch_servers(self) -> None:
        while not self._closing:
            await asyncio.sleep(LOOK_SECONDS)
            self._nats = await self._revived(self._nats)
            self._postgres = await self._revived(self._postgres)

    async def _revived(self, server: S | None) -> S | None:
        if server is None or server.process.poll() is None:
            return server
        self._leash.release(server.process.pid)
        again = await asyncio.to_thread(server.again)
        self._leash.hold(again.process.pid)
        return again

    async def _watch_endpoints(self) -> None:
        told: object = None
        while not self._closing:
            if (now := (metrics_urls(self.run), desk_url(self.run), self._postgres)) != told:
                told = now
                self.tell_endpoints()
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """End what is left: services first, then the servers. Nothing is left running afterwards."""
        await self._end_services(OTHERS_END_WITHIN_SECONDS)
        self._closing = True
        await asyncio.gather(*self._watches, return_exceptions=True)
        if self._database is not None:
            await asyncio.gather(self._database, return_exceptions=True)
        for server in (self._postgres, self._nats):
            if server is not None:
                await asyncio.to_thread(server.stop)
                self._leash.release(server.process.pid)
        await asyncio.to_thread(self._leash.close)
        remove_endpoints(self.run)

    async def _end_services(self, seconds: float) -> None:
        tasks = [task for task in self._tasks if not task.done()]
        for keeper in self.keepers.values():
            keeper.stop()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for keeper in self.keepers.values():
                keeper.kill()
            if late:
                await asyncio.wait(late)

    def hurry(self) -> None:
        """End the services at once, whatever they are doing."""
        for keeper in self.keepers.values():
            keeper.kill()


async def wait_for(event: asyncio.Event, seconds: float, unless: Callable[[], bool] = lambda: False) -> bool:
    """Whether `event` was set within `seconds`; gives up early once `unless` holds."""
    deadline = clock.monotonic() + seconds
    while not event.is_set() and clock.monotonic() < deadline and not unless():
        await set_within(event, LOOK_SECONDS)
    return event.is_set()
