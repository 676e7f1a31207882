"""The WebSocket API: requests as over REST, and the user data stream."""

import asyncio
import json
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from tests.venues.binance.connecting import connected
from tests.venues.binance.publishing import Publishing, Subscriber
from tests.venues.binance.refusal import Refusal, missing
from tests.venues.binance.rest import TIMEOUT
from tests.venues.binance.routes import METHODS, ROUTES
from tests.venues.binance.signing import check_sorted_signature, check_time
from tests.venues.channel import Channel
from tests.venues.faults import Fault

SUBSCRIBE = "userDataStream.subscribe.signature"
UNSUBSCRIBE = "userDataStream.unsubscribe"
CONNECTION_WEIGHT = 2
NOT_OVER_REST = ("apiKey", "returnRateLimits")
TROUBLE = (
    Fault.REQUEST_LOST,
    Fault.ANSWER_LOST,
    Fault.ANSWER_LATE,
    Fault.SERVER_ERROR,
    Fault.SERVER_ERROR_EXECUTED,
    Fault.CLOCK,
)


class Connection:
    """One connection and its subscriptions."""

    def __init__(self, channel: Channel, publishing: Publishing) -> None:
        self.channel = channel
        self.publishing = publishing
        self.venue = publishing.venue
        self.subscribers: list[Subscriber] = []
        self._ids = count()

    async def handle(self, text: str) -> None:
        """Answer one request; faults name it as "WS order.place"."""
        asked, refusal = _read(text)
        if refusal is not None:
            await self._tell(asked, refusal=refusal)
            return
        fault = self.venue.faults.draw(f"WS {asked['method']}", *TROUBLE)
        if fault is Fault.REQUEST_LOST:
            return self.channel.cut()
        if fault is Fault.SERVER_ERROR:
            return await self._tell(asked, refusal=_timed_out())
        result, refusal = self._try(asked, fault)
        if fault is Fault.ANSWER_LATE:
            await asyncio.sleep(self.venue.faults.late_seconds)
        if fault is Fault.SERVER_ERROR_EXECUTED:
            refusal = _timed_out()
        if fault is Fault.ANSWER_LOST:
            self.channel.cut()
        else:
            await self._tell(asked, result, refusal)
        await self.publishing.publish()

    async def unsubscribe(self, id_: int | None = None) -> None:
        """End the subscription with that id, or all of this connection, and say so."""
        for subscriber in [found for found in self.subscribers if id_ in (None, found.id)]:
            event = {"e": "eventStreamTerminated", "E": self.venue.clock()}
            self.forget(subscriber)
            await self.channel.tell("eventStreamTerminated", {"subscriptionId": subscriber.id, "event": event})

    def forget(self, subscriber: Subscriber) -> None:
        """End a subscription without a word."""
        self.subscribers.remove(subscriber)
        self.publishing.subscribers.remove(subscriber)

    def _try(self, asked: dict[str, Any], fault: Fault | None) -> tuple[Any, Refusal | None]:
        try:
            return self._do(asked["method"], asked.get("params") or {}, fault is Fault.CLOCK), None
        except Refusal as refusal:
            return None, refusal

    def _do(self, method: str, sent: dict[str, Any], wrong_clock: bool) -> Any:
        if method == SUBSCRIBE:
            return self._subscribe(sent, wrong_clock)
        if method == UNSUBSCRIBE:
            asyncio.get_running_loop().create_task(self.unsubscribe(sent.get("subscriptionId")))
            return {}
        if method == "session.subscriptions":
            return [{"subscriptionId": found.id} for found in self.subscribers]
        if method not in METHODS:
            raise Refusal(-1000, f"Method '{method}' is not supported.", 400)
        route = ROUTES[METHODS[method]]
        parameters = {name: _text(value) for name, value in sent.items() if name not in NOT_OVER_REST}
        self.venue.spend(route, parameters)
        signer = self._signer(sent, wrong_clock) if route.signed else None
        return self.venue.answer(route, parameters, signer, stale=False)[0]

    def _subscribe(self, sent: dict[str, Any], wrong_clock: bool) -> dict[str, int]:
        self.venue.weight.spend(CONNECTION_WEIGHT, self.venue.clock())
        account = self._signer(sent, wrong_clock)
        if any(found.account is account for found in self.subscribers):
            raise Refusal(-2035, "User data stream subscription already active.")
        subscriber = Subscriber(self.channel, account, next(self._ids))
        self.subscribers.append(subscriber)
        self.publishing.subscribers.append(subscriber)
        return {"subscriptionId": subscriber.id}

    def _signer(self, sent: dict[str, Any], wrong_clock: bool) -> Any:
        if "apiKey" not in sent:
            raise missing("apiKey")
        account = self.venue.with_key(sent["apiKey"])
        check_time(sent, self.venue.clock() - (3_600_000 if wrong_clock else 0))
        check_sorted_signature(account.secret, {name: _text(value) for name, value in sent.items()})
        return account

    async def _tell(self, asked: dict[str, Any], result: Any = None, refusal: Refusal | None = None) -> None:
        told: dict[str, Any] = {"id": asked.get("id"), "status": refusal.status if refusal else 200}
        told |= {"error": refusal.body()} if refusal else {"result": result}
        if (asked.get("params") or {}).get("returnRateLimits", True):
            weight = self.venue.weight
            limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
            told["rateLimits"] = [limit | {"limit": weight.limit, "count": weight.used}]
        await self.channel.answer(told)


async def serve(request: web.Request, publishing: Publishing) -> web.WebSocketResponse:
    """One connection, from its beginning to its end."""
    async with connected(request, publishing.venue) as (socket, channel):
        connection = Connection(channel, publishing)
        publishing.connections.append(connection)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await connection.handle(message.data)
        finally:
            publishing.connections.remove(connection)
            for subscriber in list(connection.subscribers):
                connection.forget(subscriber)
    return socket


def _read(text: str) -> tuple[dict[str, Any], Refusal | None]:
    try:
        asked = json.loads(text)
    except ValueError:
        return {"id": None}, Refusal(-1135, "Invalid JSON Request")
    if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
        return {"id": None}, missing("method")
    return asked, None


def _timed_out() -> Refusal:
    return Refusal(-1007, str(TIMEOUT["msg"]), 504)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
