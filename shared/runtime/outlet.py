"""What goes out to the server: put in order, written when somebody says so or at the loop's next turn.

nats-py checks and builds every header anew and leaves the writing to a task of its own, which costs each fact several
times what its bytes do, and the one that somebody waits for two turns of the loop.
"""

import asyncio
from collections.abc import Mapping
from functools import lru_cache

from nats.aio.client import Client

from shared.runtime.errors import FatalError, RetryableError

_HEADER_LINE = "NATS/1.0\r\n"


class Outlet:
    """Publishes for `client`, whose own pending commands keep their place. There is no public way to do this."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._is_due = False

    def put(self, subject: str, payload: bytes, headers: Mapping[str, str] | None, reply: str = "") -> None:
        """Publish once, behind all that was put before.

        RetryableError when the server can't be reached; FatalError when it would not take such a message.
        """
        client = self._client
        if not client.is_connected:
            raise RetryableError("the bus can't be reached: not connected")
        message = publication(subject, payload, headers, reply)
        if len(message) > client.max_payload:
            raise FatalError(f"{len(payload)} bytes on {subject} are more than the server takes")
        client._pending.append(message)
        client._pending_data_size += len(message)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._write)

    def push(self) -> None:
        """Write what has been put, without waiting for the loop's next turn."""
        if self._is_due:
            self._write()

    def _write(self) -> None:
        self._is_due = False
        client = self._client
        if client._pending and client.is_connected and client._transport is not None:
            pending, client._pending, client._pending_data_size = client._pending, [], 0
            client._transport.writelines(pending)


def publication(subject: str, payload: bytes, headers: Mapping[str, str] | None, reply: str = "") -> bytes:
    """A message in the words of the NATS client protocol; FatalError for a subject that would break it.

    Line breaks in a header's value become spaces.
    """
    _check(subject)
    if not headers:
        return b"PUB %s %s %d\r\n%b\r\n" % (subject.encode(), reply.encode(), len(payload), payload)
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\r") + lines.count("\n") != 2 * len(headers):
        return publication(subject, payload, {name: " ".join(value.split()) for name, value in headers.items()}, reply)
    block = f"{_HEADER_LINE}{lines}\r\n".encode(errors="replace")
    sizes = (len(block), len(block) + len(payload))
    return b"HPUB %s %s %d %d\r\n%b%b\r\n" % (subject.encode(), reply.encode(), *sizes, block, payload)


@lru_cache(maxsize=1024)
def _check(subject: str) -> None:
    if subject.split() != [subject]:
        raise FatalError(f"no message can be published on {subject!r}")
