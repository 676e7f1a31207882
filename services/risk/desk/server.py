"""The desk beside the guard: a thread with an event loop and a connection to the bus of its own.

The guard's loop takes no part in it, so no browser's request ever stands before an order. Of the guard the desk reads
one immutable value; the interpreter's lock it gives back after half a millisecond, and with every write to a socket.
A desk that fails is told in the log and begun anew; the guard goes on.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import structlog
import uvicorn

from services.risk.core.stack import Stack
from services.risk.desk.app import application
from services.risk.desk.core.page import Surroundings
from services.risk.desk.gate import Gate
from services.risk.desk.showing import Showing
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.companions import accompanied
from shared.runtime.errors import SettingsError
from shared.runtime.settings import Settings

_AGAIN_SECONDS = 1.0
_CLOSE_SECONDS = 2
_SWITCH_SECONDS = 0.0005
"""The guard waits for the interpreter's lock no longer, whatever the desk is at."""
_LARGEST_MESSAGE = 4096
"""Browsers have nothing to say on the WebSocket."""


class Desk:
    """The control desk of a guard. Use `open`, then `close`."""

    def __init__(self, settings: Settings, stack: Callable[[], Stack]) -> None:
        self._settings, self._stack = settings, stack
        self._up_since = clock.now()
        token = settings.desk_token.get_secret_value() if settings.desk_token else None
        self._gate = Gate(token)
        self._log: structlog.typing.FilteringBoundLogger = structlog.get_logger("desk")
        self._closing = Event()
        self._server: uvicorn.Server | None = None
        self._thread = Thread(target=self._run, name="desk", daemon=True)
        self._announcement: Path = settings.data_dir / "run" / "desk.url"
        self._socket = _listening(settings.desk_host, settings.desk_port, _left_behind(self._announcement))

    @property
    def url(self) -> str:
        """Where the desk is."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def open(self) -> None:
        """Serve, and tell where in DATA_DIR/run/desk.url."""
        self._announcement.parent.mkdir(parents=True, exist_ok=True)
        self._announcement.write_text(f"{self.url}\n", encoding="utf-8")
        self._log.info("control desk", url=self.url)
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._thread.start()

    async def close(self) -> None:
        """Stop serving."""
        self._announcement.unlink(missing_ok=True)
        self._closing.set()
        if self._server is not None:
            self._server.should_exit = True
        await asyncio.to_thread(self._thread.join, 2 * _CLOSE_SECONDS)
        self._socket.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                asyncio.run(self._serve())
            except Exception:
                if not self._closing.is_set():
                    self._log.exception("the control desk failed and begins anew; the guard stands")
                    self._closing.wait(_AGAIN_SECONDS)

    async def _serve(self) -> None:
        bus = await Bus.connect(self._settings, "risk")
        asks_code = self._settings.totp_secret is not None
        showing = Showing(self._stack, lambda: Surroundings(self._up_since, clock.now(), asks_code, bus.problem))
        server = self._server = uvicorn.Server(_configured(application(showing, self._gate, bus)))
        if self._closing.is_set():
            return
        try:
            await accompanied(server.serve([self._socket.dup()]), showing.follow(bus))
        finally:
            await bus.close()


def _configured(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="asyncio",
        http="h11",
        ws="websockets-sansio",
        ws_max_size=_LARGEST_MESSAGE,
        # Compressing for each browser would cost more than it saves on one machine.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_CLOSE_SECONDS,
    )


def _left_behind(announcement: Path) -> int:
    """The port of a desk that ended without a word, which open pages go on asking for; 0 where there was none."""
    try:
        return urlsplit(announcement.read_text(encoding="utf-8").strip()).port or 0
    except (OSError, ValueError):
        return 0


def _listening(host: str, wanted: int, before: int) -> socket.socket:
    """A socket on port `wanted`, else `before`, else a free one: no guard may fail to stand for its desk."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, wanted, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SettingsError(f"DESK_HOST {host}: {error}") from None
    problem: OSError | None = None
    for port in (*filter(None, (wanted, before)), 0):
        try:
            return socket.create_server((address[0], port), family=family)
        except OSError as error:
            problem = error
            structlog.get_logger("desk").warning("a port can't be had, trying another", port=port, error=str(error))
    raise SettingsError(f"DESK_HOST {host}: can't listen there: {problem}")
