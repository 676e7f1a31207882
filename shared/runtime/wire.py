"""The connection's bytes, cut into frames as they come; what somebody here waits for reaches him without a detour.

For every message nats-py wakes its reading loop, parses headers, makes an object, and passes it on through a queue to a
task; that costs ten times what the frame itself does. Everything else is left to it.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import ParseResult

from nats.aio.msg import Msg
from nats.aio.transport import TcpTransport
from nats.errors import ProtocolError

_MESSAGE = re.compile(
    rb"(?:MSG|HMSG)[ \t]+(\S+)[ \t]+(\d+)[ \t]+(?:([^\s]*[^\s\d][^\s]*)[ \t]+)?(?:(\d+)[ \t]+)?(\d+)\r\n"
)
_MAY_BE_MESSAGE = (b"MSG", b"HMS")
_LONGEST_LINE = 1024 * 1024
"""The server's INFO is the longest line that is no message."""
_END = b"\r\n"
_PORT = 4222
_PARTS = 6
_CONSUMERS = b"$JS.ACK."
_new = tuple.__new__  # a named tuple's own way of making itself takes twice as long


class Frame(NamedTuple):
    """A message as it came; `header` is the whole block of headers, empty without any.

    A subject that is no UTF-8 holds replacement characters, so it is none of ours and nobody stumbles over it.
    """

    subject: str
    reply: str
    header: bytes
    payload: bytes


Heard = Callable[[Frame], None]


class Cutter:
    """Cuts what one connection receives; `heard` says whose frames go where."""

    def __init__(self, heard: Mapping[bytes, Heard]) -> None:
        self._heard = heard
        self._rest = b""

    def cut(self, data: bytes) -> bytes:
        """Pass on the frames that somebody waits for; answers all others that are whole by now, in their order."""
        data = self._rest + data if self._rest else data
        others, place = [], 0
        while place < len(data):
            place, end = self._direct(data, place)
            if end == place:
                break
            others.append(data[place:end])
            place = end
        self._rest = data[place:]
        return b"".join(others)

    def _direct(self, data: bytes, place: int) -> tuple[int, int]:
        """Pass on frames from `place` on; answers where the first begins and ends that is not for us.

        Both are the same where that one has not come whole.
        """
        known, size = self._heard, len(data)
        while line := _line(data, place):
            start, subject, number, reply, header, length = line
            end = start + int(length) + 2
            if end > size:
                return place, place
            heard = known.get(number)
            if heard is None:
                return place, end
            split = start + int(header) if header else start
            text, answer = subject.decode("utf-8", "replace"), reply.decode() if reply else ""
            heard(_new(Frame, (text, answer, data[start:split], data[split : end - 2])))
            place = end
        return place, _line_end(data, place)


def _line(data: bytes, place: int) -> tuple[int, bytes, bytes, bytes | None, bytes | None, bytes] | None:
    """Where a message's content begins, its subject, subscription, reply subject and the lengths; None for no message.

    What a consumer sends, a message with headers, is nearly all that comes, and told without the pattern.
    """
    end = data.find(_END, place)
    parts = data[place:end].split(b" ") if end > 0 else []
    if len(parts) == _PARTS:
        kind, subject, number, reply, header, length = parts
        if kind == b"HMSG" and subject and reply.startswith(_CONSUMERS) and header.isdigit() and length.isdigit():
            return end + 2, subject, number, reply, header, length
    found = _MESSAGE.match(data, place)
    return (found.end(), *found.groups()) if found else None  # type: ignore[return-value]


class _Receiving(asyncio.StreamReaderProtocol):
    """Hands the reader what is left for nats-py."""

    def __init__(self, reader: asyncio.StreamReader, cutter: Cutter) -> None:
        super().__init__(reader)
        self._cutter = cutter

    def data_received(self, data: bytes) -> None:
        others = self._cutter.cut(data)
        if others:
            super().data_received(others)


class Wire(TcpTransport):
    """In place of the client's own transport. There is no public way; `test_bus_consuming.py` fails without it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._heard: dict[bytes, Heard] = {}

    def __bool__(self) -> bool:
        """True before the first connection as well, or the client would take a transport of its own."""
        return True

    def direct(self, number: int, heard: Heard) -> None:
        """Give the frames of subscription `number` to `heard`, which must not raise, as soon as they come."""
        self._heard[b"%d" % number] = heard

    def forget(self, number: int) -> None:
        """Leave the subscription to nats-py again."""
        self._heard.pop(b"%d" % number, None)

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        """Connect to the server at `uri`; TimeoutError after `connect_timeout` seconds."""
        receiving, reader = self._receiving(buffer_size)
        async with asyncio.timeout(connect_timeout):
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(lambda: receiving, uri.hostname or "", uri.port or _PORT)
        self._bare_io_reader = self._io_reader = reader
        self._bare_io_writer = self._io_writer = asyncio.StreamWriter(transport, receiving, reader, loop)

    async def connect_tls(
        self, uri: str | ParseResult, ssl_context: ssl.SSLContext, buffer_size: int, connect_timeout: int
    ) -> None:
        """Go on in TLS, as the server's INFO asks for."""
        assert self._io_writer is not None
        receiving, reader = self._receiving(buffer_size)
        name = uri if isinstance(uri, str) else uri.hostname
        async with asyncio.timeout(connect_timeout):
            loop = asyncio.get_running_loop()
            transport = await loop.start_tls(self._io_writer.transport, receiving, ssl_context, server_hostname=name)
        assert transport is not None
        self._io_reader, self._io_writer = reader, asyncio.StreamWriter(transport, receiving, reader, loop)

    def _receiving(self, limit: int) -> tuple[_Receiving, asyncio.StreamReader]:
        reader = asyncio.StreamReader(limit)
        return _Receiving(reader, Cutter(self._heard)), reader


async def unheard(message: Msg) -> None:
    """What nats-py passes on of a subscription whose frames go elsewhere: nothing, or what comes after its end."""


def _line_end(data: bytes, place: int) -> int:
    end = data.find(_END, place)
    if end < 0:
        if len(data) - place > _LONGEST_LINE:
            raise ProtocolError("a line without an end")
        return place
    if data.startswith(_MAY_BE_MESSAGE, place):
        raise ProtocolError("a malformed message")
    return end + 2
