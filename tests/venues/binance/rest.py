"""The REST side: from a request on the socket to an answer, or to the trouble that was planned for it."""

import asyncio
from itertools import cycle
from typing import Any, NamedTuple

from aiohttp import web

from shared.runtime import clock
from tests.venues.binance.account import Account
from tests.venues.binance.amounts import compact
from tests.venues.binance.disturbing import with_unknown_fields, without_optional_fields
from tests.venues.binance.limits import banned, too_much_weight
from tests.venues.binance.publishing import Publishing
from tests.venues.binance.refusal import NotFound, Refusal
from tests.venues.binance.routes import ROUTES, Route
from tests.venues.binance.signing import check_signature, check_time, read_parameters
from tests.venues.binance.venue import Venue
from tests.venues.faults import Fault

UNANSWERED = (Fault.REQUEST_LOST, Fault.TOO_MANY_REQUESTS, Fault.BANNED, Fault.SERVER_ERROR)
EXECUTED = (Fault.ANSWER_LOST, Fault.ANSWER_LATE, Fault.SERVER_ERROR_EXECUTED)
SHAPED = (Fault.UNKNOWN_FIELDS, Fault.MISSING_FIELDS)
TIMEOUT = {
    "code": -1007,
    "msg": "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
}
SERVER_ERRORS = (
    (504, compact(TIMEOUT), "application/json"),
    (502, "<html><head><title>502 Bad Gateway</title></head></html>", "text/html"),
    (500, '{"code":-1000,"msg":"An unknown error occurred while processing the request."}', "application/json"),
    (503, "", "text/plain"),
)
"""What comes in turn with 5xx: the answer does not tell whether it was executed."""
NOT_FOUND = "<html><body><h2>404 Not found</h2></body></html>"
GONE = ("/api/v3/userDataStream", "/api/v1/userDataStream")


class Request(NamedTuple):
    """What was asked: `name` is the method and the path, `parameters` come from the query and the body.

    `came` is when it had been read, by the clock that never steps.
    """

    name: str
    parameters: dict[str, str]
    came: float


class Rest:
    """Answers requests. `requests` holds each that came, in order, with or without trouble."""

    def __init__(self, venue: Venue, publishing: Publishing) -> None:
        self.venue = venue
        self.publishing = publishing
        self.requests: list[Request] = []
        self._server_errors = cycle(SERVER_ERRORS)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        query = request.raw_path.partition("?")[2]
        body = (await request.read()).decode()
        name = f"{request.method} {request.path}"
        route = ROUTES.get(name)
        self.requests.append(Request(name, _known(query, body), clock.monotonic()))
        fault = self._draw(name, route)
        if fault in UNANSWERED:
            return self._unanswered(request, fault)
        response = self._respond(request, route, query, body, fault)
        await self.publishing.publish_after_request()
        return await self._delivered(request, response, fault)

    def _draw(self, name: str, route: Route | None) -> Fault | None:
        candidates = [*UNANSWERED, *EXECUTED, *SHAPED]
        if route is not None and route.signed:
            candidates += [Fault.CLOCK, Fault.STALE_READ] if name.startswith("GET ") else [Fault.CLOCK]
        return self.venue.faults.draw(name, *candidates)

    def _unanswered(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        wait, now = self.venue.faults.retry_after, self.venue.clock()
        if fault is Fault.TOO_MANY_REQUESTS:
            return self._refused(too_much_weight(self.venue.weight.limit, wait))
        if fault is Fault.BANNED:
            return self._refused(banned(now + wait * 1000, wait))
        if fault is Fault.SERVER_ERROR:
            return self._server_error()
        return cut(request)

    def _respond(
        self, request: web.Request, route: Route | None, query: str, body: str, fault: Fault | None
    ) -> web.Response:
        try:
            told, headers = self._answer(request, route, query, body, fault)
        except Refusal as refusal:
            return self._refused(refusal)
        except NotFound:
            return self._response(404, NOT_FOUND, "text/html", {})
        if fault is Fault.UNKNOWN_FIELDS:
            told = with_unknown_fields(told)
        if fault is Fault.MISSING_FIELDS:
            told = without_optional_fields(told)
        return self._response(200, compact(told), "application/json", headers)

    def _answer(
        self, request: web.Request, route: Route | None, query: str, body: str, fault: Fault | None
    ) -> tuple[Any, dict[str, str]]:
        if request.path in GONE:
            raise Refusal(-1000, "This endpoint is gone. Use the WebSocket API's user data stream.", 410)
        without_sapi = self.venue.account.restrictions is None
        if route is None or (without_sapi and request.path.startswith("/sapi/")):
            raise NotFound
        parameters = read_parameters(query, body)
        self.venue.spend(route, parameters)
        signer = self._signer(request, query, body, parameters, fault) if route.signed else None
        return self.venue.answer(route, parameters, signer, fault is Fault.STALE_READ)

    def _signer(
        self, request: web.Request, query: str, body: str, parameters: dict[str, str], fault: Fault | None
    ) -> Account:
        account = self.venue.with_key(request.headers.get("X-MBX-APIKEY"))
        behind = 3_600_000 if fault is Fault.CLOCK else 0
        check_time(parameters, self.venue.clock() - behind)
        check_signature(account.secret, query, body, parameters)
        return account

    async def _delivered(self, request: web.Request, response: web.Response, fault: Fault | None) -> web.StreamResponse:
        if fault is Fault.ANSWER_LATE:
            await asyncio.sleep(self.venue.faults.late_seconds)
        if fault is Fault.ANSWER_LOST:
            return cut(request)
        return self._server_error() if fault is Fault.SERVER_ERROR_EXECUTED else response

    def _refused(self, refusal: Refusal) -> web.Response:
        return self._response(refusal.status, compact(refusal.body()), "application/json", refusal.headers)

    def _server_error(self) -> web.Response:
        return self._response(*next(self._server_errors), {})

    def _response(self, status: int, text: str, kind: str, headers: dict[str, str]) -> web.Response:
        return web.Response(status=status, text=text, content_type=kind, headers=self.venue.weight.headers() | headers)


def _known(query: str, body: str) -> dict[str, str]:
    try:
        return read_parameters(query, body)
    except Refusal:
        return {}


def cut(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
