"""The REST side: from a request on the socket to an answer, or to the trouble that was planned for it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import cycle
from typing import Any, NamedTuple

from aiohttp import web

from tests.venues.alpaca.access import Access
from tests.venues.alpaca.bars import DataDesk
from tests.venues.alpaca.disturbing import with_unknown_fields, without_optional_fields
from tests.venues.alpaca.refusal import MALFORMED, Refusal, unprocessable
from tests.venues.alpaca.routes import Desk
from tests.venues.faults import Fault, Faults

UNANSWERED = (Fault.REQUEST_LOST, Fault.TOO_MANY_REQUESTS, Fault.SERVER_ERROR)
EXECUTED = (Fault.ANSWER_LOST, Fault.ANSWER_LATE, Fault.SERVER_ERROR_EXECUTED)
SHAPED = (Fault.UNKNOWN_FIELDS, Fault.MISSING_FIELDS)
SERVER_ERRORS = (
    (500, '{"code":50010000,"message":"internal server error occurred"}', "application/json"),
    (502, "<html><head><title>502 Bad Gateway</title></head></html>", "text/html"),
    (503, "", "text/plain"),
    (504, '{"message":"The request timed out"}', "application/json"),
)
"""What comes in turn with 5xx: the answer does not tell whether it was executed."""


class Request(NamedTuple):
    """What was asked: `name` is the method and the path."""

    name: str
    query: dict[str, str]
    body: Any


class Rest:
    """Answers requests. `requests` holds each that came, in order, with or without trouble."""

    def __init__(
        self, desk: Desk, data: DataDesk, access: Access, faults: Faults, publish: Callable[[], Awaitable[None]]
    ) -> None:
        self.desk, self.data, self.access, self.faults = desk, data, access, faults
        self.requests: list[Request] = []
        self._publish = publish
        self._server_errors = cycle(SERVER_ERRORS)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; every answer tells the limit of requests."""
        response = await self._handle(request)
        response.headers.update(self.access.headers(data=_is_data(request)))
        return response

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        name = f"{request.method} {request.rel_url.raw_path}"
        self.requests.append(Request(name, dict(request.query), _known(text)))
        fault = self._draw(name)
        if fault in UNANSWERED:
            return self._unanswered(request, fault)
        self.desk.exchange.advance()
        response = self._respond(request, text, fault)
        self.desk.exchange.advance()
        await self._publish()
        return await self._delivered(request, response, fault)

    def _draw(self, name: str) -> Fault | None:
        stale = (Fault.STALE_READ,) if name.startswith("GET /v2/") else ()
        return self.faults.draw(name, *UNANSWERED, *EXECUTED, *SHAPED, *stale)

    def _unanswered(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        if fault is Fault.TOO_MANY_REQUESTS:
            wait = str(self.faults.retry_after)
            return self._refused(Refusal(429, 42910000, "rate limit exceeded"), {"Retry-After": wait})
        return self._server_error() if fault is Fault.SERVER_ERROR else _cut(request)

    def _respond(self, request: web.Request, text: str, fault: Fault | None) -> web.Response:
        try:
            self.access.check(request.headers, data=_is_data(request))
            status, told = self._answer(request, text, fault)
        except Refusal as refusal:
            return self._refused(refusal, {})
        if fault is Fault.UNKNOWN_FIELDS:
            told = with_unknown_fields(told)
        if fault is Fault.MISSING_FIELDS:
            told = without_optional_fields(told)
        return self._response(status, "" if told is None else json.dumps(told), "application/json", {})

    def _answer(self, request: web.Request, text: str, fault: Fault | None) -> tuple[int, Any]:
        exchange, path = self.desk.exchange, request.rel_url.raw_path
        if _is_data(request):
            return 200, self.data.answer(path, request.query)
        try:
            body = json.loads(text) if text else None
        except ValueError:
            raise unprocessable("request body format is invalid", MALFORMED) from None
        books = exchange.previous if fault is Fault.STALE_READ else exchange.books
        return self.desk.answer(request.method, path, request.query, body, books)

    async def _delivered(self, request: web.Request, response: web.Response, fault: Fault | None) -> web.StreamResponse:
        if fault is Fault.ANSWER_LATE:
            await asyncio.sleep(self.faults.late_seconds)
        if fault is Fault.ANSWER_LOST:
            return _cut(request)
        return self._server_error() if fault is Fault.SERVER_ERROR_EXECUTED else response

    def _refused(self, refusal: Refusal, headers: dict[str, str]) -> web.Response:
        return self._response(refusal.status, json.dumps(refusal.body()), "application/json", headers)

    def _server_error(self) -> web.Response:
        return self._response(*next(self._server_errors), {})

    def _response(self, status: int, text: str, kind: str, headers: dict[str, str]) -> web.Response:
        return web.Response(status=status, text=text, content_type=kind, headers=headers)


def _is_data(request: web.Request) -> bool:
    """Whether it is about the market's data, which have an interface and a limit of their own."""
    return request.rel_url.raw_path.startswith(("/v2/stocks/", "/v1beta3/crypto/"))


def _known(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
