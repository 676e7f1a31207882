"""Who gets through to the desk: hosts, origins, tokens, and the headers that keep browsers strict."""

from http import HTTPStatus
from secrets import token_urlsafe
from typing import NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from services.risk.desk.core.access import Attempts, bearer, host_allowed, origin_allowed, same
from shared.runtime import clock

COOKIE = "leitstand_desk"
LASTS_SECONDS = 12 * 3600
_OPEN_PATHS = ("/", "/api/login")
_REFUSED = 1008
"""The WebSocket close code of a broken rule."""
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Refusal(NamedTuple):
    """Why a request is turned away."""

    status: HTTPStatus
    reason: str


class Gate:
    """The desk's door. `token` is None where only loopback is served and no login is asked for."""

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._attempts = Attempts()
        self._visits: dict[str, float] = {}

    def refusal(self, connection: HTTPConnection) -> Refusal | None:
        """Why `connection` may not do what it asks for; None when it may."""
        host = connection.headers.get("host", "")
        if not host_allowed(host, self._token is not None):
            return Refusal(HTTPStatus.FORBIDDEN, f"this desk is not called {host!r}; open it as 127.0.0.1")
        reads = connection.scope["type"] == "http" and connection.scope["method"] in ("GET", "HEAD")
        if not reads and not origin_allowed(connection.headers.get("origin"), host):
            return Refusal(HTTPStatus.FORBIDDEN, "another site may not use the desk")
        path = connection.scope["path"]
        if path in _OPEN_PATHS or path.startswith("/static/") or self.admits(connection):
            return None
        wait = self._wait(connection)
        if wait:
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, f"too many wrong tokens; try again in {wait:.0f} s")
        return Refusal(HTTPStatus.UNAUTHORIZED, "the desk's token is needed: log in, or send Authorization: Bearer …")

    def admits(self, connection: HTTPConnection) -> bool:
        """Whether whoever asks has logged in, or shows the token itself."""
        if self._token is None:
            return True
        if self._visits.get(connection.cookies.get(COOKIE, ""), 0.0) > clock.monotonic():
            return True
        shown = bearer(connection.headers.get("authorization"))
        return shown is not None and self._right(connection, shown)

    async def login(self, request: Request) -> Response:
        """Exchange the token for a cookie."""
        wait = self._wait(request)
        if wait:
            text = f"too many wrong tokens; try again in {wait:.0f} s"
            return JSONResponse({"error": text}, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": f"{wait:.0f}"})
        shown = (await _fields(request)).get("token")
        if self._token is not None and not (isinstance(shown, str) and self._right(request, shown)):
            return JSONResponse({"error": "that is not the desk's token"}, HTTPStatus.UNAUTHORIZED)
        return self._visit(request)

    def _visit(self, request: Request) -> Response:
        now, visit = clock.monotonic(), token_urlsafe(32)
        self._visits = {name: end for name, end in self._visits.items() if end > now}
        self._visits[visit] = now + LASTS_SECONDS
        response = JSONResponse({})
        response.set_cookie(
            COOKIE, visit, LASTS_SECONDS, secure=request.url.scheme == "https", httponly=True, samesite="strict"
        )
        return response

    def _wait(self, connection: HTTPConnection) -> float:
        return self._attempts.wait(_address(connection), clock.monotonic())

    def _right(self, connection: HTTPConnection, shown: str) -> bool:
        if self._wait(connection):
            return False
        if self._token is not None and same(shown, self._token):
            return True
        self._attempts = self._attempts.failed(_address(connection), clock.monotonic())
        return False


class Guarded:
    """An ASGI application behind a gate."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn a request away, or let it through with strict headers on the answer."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        refusal = self._gate.refusal(HTTPConnection(scope))
        if scope["type"] == "websocket":
            if refusal:
                return await WebSocket(scope, receive, send).close(_REFUSED, refusal.reason)
            return await self._app(scope, receive, send)
        app = JSONResponse({"error": refusal.reason}, refusal.status) if refusal else self._app

        async def strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await app(scope, receive, strictly)


async def _fields(request: Request) -> dict[str, object]:
    try:
        fields = await request.json()
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""
