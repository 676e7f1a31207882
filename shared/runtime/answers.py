"""Requests and their answers over one subscription; a lost connection fails all that are open at once."""

import asyncio
from collections.abc import Mapping
from itertools import count

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.runtime.errors import FatalError, RetryableError

_NO_RESPONDERS = "503"


class Answers:
    """Who waits for which answer. nats-py has the like, but at twice the price, and it waits on after a disconnect."""

    def __init__(self, client: Client, within: float) -> None:
        self._client = client
        self._within = within
        self._inbox = ""
        self._numbers = count()
        self._open: dict[str, asyncio.Future[Msg]] = {}

    async def listen(self) -> None:
        """Subscribe to the answers, once the client is connected and knows its own prefix."""
        self._inbox = self._client.new_inbox()
        await self._client.subscribe(f"{self._inbox}.*", cb=self._receive)

    async def post(self, subject: str, payload: bytes, headers: Mapping[str, str] | None) -> asyncio.Future[Msg]:
        """Publish; answers where the answer will be: the message, or RetryableError when none comes in time.

        RetryableError at once when the server can't be reached, FatalError when the payload is too large.
        """
        number = str(next(self._numbers))
        await send(self._client, subject, payload, headers, f"{self._inbox}.{number}")
        loop = asyncio.get_running_loop()
        answer = self._open[number] = loop.create_future()
        timer = loop.call_later(self._within, _fail, answer, f"none within {self._within:g} s")

        def forget(done: asyncio.Future[Msg]) -> None:
            timer.cancel()
            self._open.pop(number, None)
            if not done.cancelled():
                done.exception()  # seen, also where nobody awaits it any more

        answer.add_done_callback(forget)
        return answer

    def fail(self, reason: str) -> None:
        """Let every open request fail, to be repeated by whoever asked."""
        for answer in tuple(self._open.values()):
            _fail(answer, reason)

    async def _receive(self, message: Msg) -> None:
        answer = self._open.get(message.subject.rsplit(".", 1)[1])
        if answer is not None and not answer.done():
            answer.set_result(message)


def _fail(answer: asyncio.Future[Msg], reason: str) -> None:
    if not answer.done():
        answer.set_exception(RetryableError(f"no answer from the bus: {reason}"))


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
