"""Telegram's sendMessage on a real socket, as the Bot API answers it, with scripted trouble."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

TOKEN = "123456:A-made-up-token_for-tests-only-0000"
CHAT_ID = 4711


@dataclass(frozen=True)
class Trouble:
    """One answer instead of the ordinary one. `delivers` says whether the chat got the message nevertheless.

    `status` 0 closes the connection without an answer, `hangs` keeps the caller waiting until the server ends.
    """

    status: int
    body: bytes = b""
    kind: str = "application/json"
    delivers: bool = False
    hangs: bool = False


def too_many(retry_after: int) -> Trouble:
    """429 as Telegram writes it."""
    told = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {retry_after}"}
    return Trouble(429, json.dumps({**told, "parameters": {"retry_after": retry_after}}).encode())


BAD_GATEWAY = Trouble(502, b"<html><head><title>502 Bad Gateway</title></head></html>", "text/html")
DELIVERED_WITHOUT_ANSWER = Trouble(0, delivers=True)
DELIVERED_BUT_HANGS = Trouble(0, delivers=True, hangs=True)


@dataclass
class TelegramServer:
    """What the chat has received, what is still in the script, and every path that was asked for."""

    url: str
    received: list[str] = field(default_factory=list)
    script: deque[Trouble] = field(default_factory=deque)
    requests: list[Any] = field(default_factory=list)
    ended: Event = field(default_factory=Event)

    def answer(self, path: str, body: Any) -> Trouble:
        """The answer to a request; an ordinary one delivers."""
        self.requests.append(body)
        if path != f"/bot{TOKEN}/sendMessage":
            return _error(401, "Unauthorized")
        if body.get("chat_id") != CHAT_ID:
            return _error(400, "Bad Request: chat not found")
        if not body.get("text") or len(body["text"].encode("utf-16-le")) > 2 * 4096:
            return _error(400, "Bad Request: message is empty or too long")
        trouble = self.script.popleft() if self.script else Trouble(200, b'{"ok":true,"result":{}}', delivers=True)
        if trouble.delivers:
            self.received.append(body["text"])
        return trouble


def _error(code: int, description: str) -> Trouble:
    return Trouble(code, json.dumps({"ok": False, "error_code": code, "description": description}).encode())


@contextmanager
def telegram_server() -> Iterator[TelegramServer]:
    """A server on a free port of the loopback interface."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    http.daemon_threads = True
    server = TelegramServer(f"http://127.0.0.1:{http.server_address[1]}")
    http.RequestHandlerClass = _handler(server)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        http.shutdown()
        http.server_close()
        thread.join()


def _handler(server: TelegramServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            if not text:
                self.close_connection = True
                return
            trouble = server.answer(self.path, json.loads(text))
            if trouble.hangs:
                server.ended.wait(30)
            if trouble.status == 0:
                self.close_connection = True
                return
            self.send_response(trouble.status)
            self.send_header("Content-Type", trouble.kind)
            self.send_header("Content-Length", str(len(trouble.body)))
            self.end_headers()
            self.wfile.write(trouble.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are kept in `requests`."""

    return Handler
