"""/metrics, /healthz and /readyz over HTTP, from a thread of their own."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.runtime.errors import SettingsError

Check = Callable[[], str | None]
"""What is wrong with something that the service needs, None when nothing is."""
_ALIVE_WITHIN_SECONDS = 2.0
Answer = tuple[HTTPStatus, str, bytes]


class Health:
    """The HTTP server and the checks behind /readyz. Alive means that the service's event loop still turns."""

    def __init__(self, host: str, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._checks: dict[str, Check] = {}
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(self))
        except OSError as error:
            raise SettingsError(f"METRICS_HOST, METRICS_PORT: can't listen on {host}:{port}: {error}") from None
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="health")
        self._thread.daemon = True
        self._thread.start()
        self._announcement: Path | None = None

    @property
    def url(self) -> str:
        """Where the server listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def require(self, name: str, check: Check) -> None:
        """From now on the service is ready only while `check` finds nothing wrong."""
        self._checks[name] = check

    def announce(self, path: Path) -> None:
        """Write the URL into the file `path`, as long as the server runs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{self.url}\n", encoding="utf-8")
        self._announcement = path

    def close(self) -> None:
        """Stop listening."""
        if self._announcement is not None:
            self._announcement.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> Answer:
        """Status, content type and body for a GET of `path`."""
        answers = {"/metrics": self._metrics, "/healthz": self._alive, "/readyz": self._ready}
        answer = answers.get(urlsplit(path).path)
        return answer() if answer else (HTTPStatus.NOT_FOUND, "text/plain", b"/metrics /healthz /readyz\n")

    def _metrics(self) -> Answer:
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest()

    def _alive(self) -> Answer:
        turned: Future[None] = Future()
        try:
            self._loop.call_soon_threadsafe(turned.set_result, None)
            turned.result(_ALIVE_WITHIN_SECONDS)
        except (TimeoutError, RuntimeError):
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"the event loop does not turn\n"
        return HTTPStatus.OK, "text/plain", b"alive\n"

    def _ready(self) -> Answer:
        found = {name: check() for name, check in tuple(self._checks.items())}
        status = HTTPStatus.SERVICE_UNAVAILABLE if any(found.values()) else HTTPStatus.OK
        body = json.dumps({name: problem or "ok" for name, problem in found.items()})
        return status, "application/json", body.encode() + b"\n"


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client that left early is no concern of ours
                super().handle()

        def do_GET(self) -> None:
            status, kind, body = health.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not worth a line."""

    return Handler
