"""The WebSocket market streams: raw on /ws, combined on /stream."""

import json
import re
from collections import deque
from typing import Any

from aiohttp import WSMsgType, web

from tests.venues.binance.connecting import connected
from tests.venues.binance.publishing import Listener, Publishing
from tests.venues.binance.venue import Clock

MESSAGES_A_SECOND = 5
MOST_STREAMS = 1024
_STREAM = re.compile(r"^[a-z0-9!_]+@[A-Za-z0-9_@+:]+$")
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


async def serve(request: web.Request, publishing: Publishing) -> web.WebSocketResponse:
    """One connection, from its beginning to its end."""
    async with connected(request, publishing.venue) as (socket, channel):
        listener = Listener(channel, request.path == "/stream", _named(request))
        publishing.listeners.append(listener)
        try:
            await _converse(socket, listener, publishing.venue.clock)
        finally:
            publishing.listeners.remove(listener)
    return socket


async def _converse(socket: web.WebSocketResponse, listener: Listener, clock: Clock) -> None:
    recent: deque[int] = deque(maxlen=MESSAGES_A_SECOND + 1)
    async for message in socket:
        recent.append(clock())
        if len(recent) > MESSAGES_A_SECOND and recent[-1] - recent[0] < 1000:
            await socket.close(code=1008, message=b"Too many requests")
        elif message.type is WSMsgType.TEXT:
            await listener.channel.answer(_answer(listener, message.data))


def _named(request: web.Request) -> set[str]:
    if request.path == "/stream":
        names = request.query.get("streams", "").split("/")
    else:
        names = request.path.removeprefix("/ws").strip("/").split("/")
    return {name for name in names if _STREAM.match(name)}


def _answer(listener: Listener, text: str) -> dict[str, Any]:
    try:
        asked = json.loads(text)
    except ValueError:
        return _error(3, "Invalid JSON: expected value at line 1 column 1")
    if not isinstance(asked, dict) or "method" not in asked:
        return _error(2, "Invalid request: missing field `method`")
    id_, method, names = asked.get("id"), asked["method"], asked.get("params", [])
    if not (id_ is None or (isinstance(id_, int) and id_ >= 0) or (isinstance(id_, str) and len(id_) <= 36)):
        return _error(2, "Invalid request: request ID must be an unsigned integer")
    if method not in METHODS:
        return _error(2, f"Invalid request: unknown variant `{method}`, expected one of {', '.join(METHODS)}", id_)
    if method == "LIST_SUBSCRIPTIONS":
        return {"result": sorted(listener.streams), "id": id_}
    if not isinstance(names, list) or not all(isinstance(name, str) and _STREAM.match(name) for name in names):
        return _error(2, "Invalid request: invalid stream", id_)
    if method == "SUBSCRIBE" and len(listener.streams | set(names)) > MOST_STREAMS:
        return _error(2, "Invalid request: too many streams", id_)
    if method == "SUBSCRIBE":
        listener.streams |= set(names)
    if method == "UNSUBSCRIBE":
        listener.streams -= set(names)
    return {"result": None, "id": id_}


def _error(code: int, msg: str, id_: Any = None) -> dict[str, Any]:
    return {"error": {"code": code, "msg": msg}, "id": id_}
