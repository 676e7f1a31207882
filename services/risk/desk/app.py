"""What the desk answers: the page, its data, and the operator's commands."""

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.risk.cli.ask import carried_out
from services.risk.desk.core.asking import CRITICAL, STOPS, asked
from services.risk.desk.core.feed import LEVELS, Wanted, as_document, found, wanted_types
from services.risk.desk.gate import Gate, Guarded
from services.risk.desk.showing import LINES, Showing
from shared.runtime.bus import Bus
from shared.runtime.companions import accompanied
from shared.runtime.errors import LeitstandError
from shared.schemas.catalogue import BY_NAME

STATIC = Path(__file__).parent / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATUS = {"done": HTTPStatus.OK, "refused": HTTPStatus.CONFLICT, "unanswered": HTTPStatus.ACCEPTED}
_LARGEST_BODY = 10_000
_FELL_BEHIND = 1013
"""The WebSocket close code "try again later"."""


class Pages:
    """The handlers. Commands take the same way as any NATS client's: through the CONTROL stream."""

    def __init__(self, showing: Showing, gate: Gate, bus: Bus) -> None:
        self._showing, self._gate, self._bus = showing, gate, bus

    async def page(self, request: Request) -> Response:
        """The desk, or its login."""
        return FileResponse(STATIC / ("desk.html" if self._gate.admits(request) else "login.html"))

    async def asset(self, request: Request) -> Response:
        """A style sheet, module or icon of the page."""
        path = STATIC / request.path_params["name"]
        if path.suffix not in _KINDS or not path.is_file():
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return FileResponse(path, media_type=_KINDS[path.suffix])

    async def status(self, _: Request) -> Response:
        """All that the page shows but the feed."""
        return Response(self._showing.status(), media_type="application/json")

    async def events(self, request: Request) -> Response:
        """The newest facts that are asked for, newest first."""
        try:
            wanted, limit = _wanted(request)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        lines = found(self._showing.view.feed, wanted, limit)
        return JSONResponse({"events": [as_document(line) for line in lines], "types": sorted(BY_NAME)})

    async def live(self, socket: WebSocket) -> None:
        """The page's content, then every change of it."""
        await socket.accept()
        with self._showing.hub.reader(self._showing.whole()) as reader:

            async def send() -> None:
                async for text in reader.texts():
                    await socket.send_text(text)
                await socket.close(_FELL_BEHIND, "the browser did not keep up")

            try:
                await accompanied(_until_gone(socket), send())
            except WebSocketDisconnect:
                return

    async def command(self, request: Request) -> Response:
        """Ask the guard for what the path names, and tell what came of it."""
        name, body = request.url.path.rpartition("/")[2], await _body(request)
        if body is None and name in CRITICAL:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        wanted = asked(name, body)
        if isinstance(wanted, str):
            return JSONResponse({"error": f"{name} refused: {wanted}"}, HTTPStatus.BAD_REQUEST)
        try:
            outcome = await carried_out(self._bus, name, *wanted)
        except LeitstandError as error:
            return JSONResponse({"error": f"{name} was not stored: {error}"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(outcome.as_json(), _STATUS[outcome.verdict], media_type="application/json")


def application(showing: Showing, gate: Gate, bus: Bus) -> ASGIApp:
    """The desk as an ASGI application."""
    pages = Pages(showing, gate, bus)
    commands = [Route(f"/api/{name}", pages.command, methods=["POST"]) for name in (*STOPS, *CRITICAL)]
    routes = [
        Route("/", pages.page),
        Route("/static/{name}", pages.asset),
        Route("/api/login", gate.login, methods=["POST"]),
        Route("/api/status", pages.status),
        Route("/api/events", pages.events),
        WebSocketRoute("/api/live", pages.live),
        *commands,
    ]
    return Guarded(Starlette(routes=routes), gate)


async def _until_gone(socket: WebSocket) -> None:
    while True:
        await socket.receive_text()


async def _body(request: Request) -> bytes | None:
    """What the request carries, None where that is too much to be read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            return None
    return body


def _wanted(request: Request) -> tuple[Wanted, int]:
    asked = request.query_params
    types, without = wanted_types(asked.get("type", ""))
    level = asked.get("level") or "debug"
    if level not in LEVELS:
        raise ValueError(f"level: one of {', '.join(LEVELS)}")
    since, until = (_instant(name, asked.get(name)) for name in ("since", "until"))
    limit = asked.get("limit", str(LINES))
    if not limit.isascii() or not limit.isdigit():
        raise ValueError("limit: a whole number")
    return Wanted(types, without, asked.get("phase") or None, level, since, until), min(int(limit), 1000)


def _instant(name: str, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name}: an instant such as 2026-01-05T09:30:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
