"""Requests and their answers over one subscription; a lost connection fails all that are open at once."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import NamedTuple

from nats.aio.client import Client

from shared.runtime.errors import RetryableError
from shared.runtime.outlet import Outlet
from shared.runtime.wire import Frame, Wire, unheard

_NO_RESPONDERS = b"NATS/1.0 503"
Heard = Callable[[Frame | RetryableError], None]
"""Is given the answer, or what became of it; at once, between two steps of whoever runs."""


class _Open(NamedTuple):
    heard: Heard
    asked_at: float


class Answers:
    """Who waits for which answer. nats-py has the like, but at twice the price, and it waits on after a disconnect."""

    def __init__(self, client: Client, wire: Wire, outlet: Outlet, within: float) -> None:
        self._client = client
        self._wire = wire
        self._outlet = outlet
        self._within = within
        self._inbox = ""
        self._numbers = count()
        self._open: dict[str, _Open] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def listen(self) -> None:
        """Subscribe to the answers, once the client is connected and knows its own prefix."""
        self._inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(f"{self._inbox}.*", cb=unheard)
        self._wire.direct(subscription._id, self._receive)

    def ask(self, subject: str, payload: bytes, headers: Mapping[str, str] | None, heard: Heard) -> None:
        """Publish; `heard` is called once, with the message or with a RetryableError when none comes in time.

        RetryableError here when the server can't be reached, FatalError when the payload is too large: then never.
        """
        number = str(next(self._numbers))
        self._outlet.put(subject, payload, headers, f"{self._inbox}.{number}")
        loop = asyncio.get_running_loop()
        self._open[number] = _Open(heard, loop.time())
        if self._sweep is None:
            self._sweep = loop.call_later(self._within, self._close_late, loop)

    def post(self, subject: str, payload: bytes, headers: Mapping[str, str] | None) -> asyncio.Future[Frame]:
        """Publish; answers where the answer will be. Raises, there or here, as `ask` does."""
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self.ask(subject, payload, headers, partial(_settle, answer))
        return answer

    def fail(self, reason: str) -> None:
        """Let every open request fail, to be repeated by whoever asked."""
        for number in tuple(self._open):
            self._close(number, RetryableError(f"no answer from the bus: {reason}"))

    def _receive(self, frame: Frame) -> None:
        self._close(frame.subject.rpartition(".")[2], frame)

    def _close(self, number: str, outcome: Frame | RetryableError) -> None:
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


def _settle(answer: asyncio.Future[Frame], outcome: Frame | RetryableError) -> None:
    if answer.done():
        return
    if isinstance(outcome, RetryableError):
        answer.set_exception(outcome)
        answer.exception()  # seen, also where nobody awaits it any more
    else:
        answer.set_result(outcome)


def content(frame: Frame) -> bytes:
    """The bytes of an answer; RetryableError when it only says that nobody listens on the subject."""
    if frame.header.startswith(_NO_RESPONDERS):
        raise RetryableError("nobody answers there; is JetStream up?")
    return frame.payload
