"""Requests and their answers over one subscription; a lost connection fails all that are open at once."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import NamedTuple

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.runtime.errors import FatalError, RetryableError

_NO_RESPONDERS = "503"
Heard = Callable[[Msg | RetryableError], None]
"""Is given the answer, or what became of it; at once, between two steps of whoever runs."""


class _Open(NamedTuple):
    heard: Heard
    asked_at: float


class Answers:
    """Who waits for which answer. nats-py has the like, but at twice the price, and it waits on after a disconnect."""

    def __init__(self, client: Client, within: float) -> None:
        self._client = client
        self._within = within
        self._inbox = ""
        self._numbers = count()
        self._open: dict[str, _Open] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def listen(self) -> None:
        """Subscribe to the answers, once the client is connected and knows its own prefix."""
        self._inbox = self._client.new_inbox()
        await self._client.subscribe(f"{self._inbox}.*", cb=self._receive)

    async def ask(self, subject: str, payload: bytes, headers: Mapping[str, str] | None, heard: Heard) -> None:
        """Publish; `heard` is called once, with the message or with a RetryableError when none comes in time.

        RetryableError here when the server can't be reached, FatalError when the payload is too large: then never.
        """
        number = str(next(self._numbers))
        await send(self._client, subject, payload, headers, f"{self._inbox}.{number}")
        loop = asyncio.get_running_loop()
        self._open[number] = _Open(heard, loop.time())
        if self._sweep is None:
            self._sweep = loop.call_later(self._within, self._close_late, loop)

    async def post(self, subject: str, payload: bytes, headers: Mapping[str, str] | None) -> asyncio.Future[Msg]:
        """Publish; answers where the answer will be. Raises, there or here, as `ask` does."""
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        await self.ask(subject, payload, headers, partial(_settle, answer))
        return answer

    def fail(self, reason: str) -> None:
        """Let every open request fail, to be repeated by whoever asked."""
        for number in tuple(self._open):
            self._close(number, RetryableError(f"no answer from the bus: {reason}"))

    async def _receive(self, message: Msg) -> None:
        self._close(message.subject.rsplit(".", 1)[1], message)

    def _close(self, number: str, outcome: Msg | RetryableError) -> None:
        asked = self._open.pop(number, None)
        if asked is not None:
            asked.heard(outcome)

    def _close_late(self, loop: asyncio.AbstractEventLoop) -> None:
        """Fail what has waited too long: one timer for all, for they wait equally long and come in order."""
        self._sweep, now = None, loop.time()
        for number, asked in tuple(self._open.items()):
            if asked.asked_at + self._within > now:
                self._sweep = loop.call_at(asked.asked_at + self._within, self._close_late, loop)
                return
            self._close(number, RetryableError(f"no answer from the bus: none within {self._within:g} s"))


def _settle(answer: asyncio.Future[Msg], outcome: Msg | RetryableError) -> None:
    if answer.done():
        return
    if isinstance(outcome, RetryableError):
        answer.set_exception(outcome)
        answer.exception()  # seen, also where nobody awaits it any more
    else:
        answer.set_result(outcome)


def content(message: Msg) -> bytes:
    """The bytes of an answer; RetryableError when it only says that nobody listens on the subject."""
    if message.headers and message.headers.get("Status") == _NO_RESPONDERS:
        raise RetryableError("nobody answers there; is JetStream up?")
    return bytes(message.data)


async def send(
    client: Client, subject: str, payload: bytes, headers: Mapping[str, str] | None, reply: str = ""
) -> None:
    """Publish once. RetryableError when the server can't be reached, FatalError when the payload is too large."""
    try:
        await client.publish(subject, payload, reply, dict(headers) if headers else None)
    except nats.errors.MaxPayloadError:
        raise FatalError(f"{len(payload)} bytes on {subject} are more than the server takes") from None
    except nats.errors.Error as error:
        raise RetryableError(f"the bus can't be reached: {type(error).__name__}") from None
