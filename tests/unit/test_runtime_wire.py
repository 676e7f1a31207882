"""Frames come out whole and in order however the bytes were cut, and what is not read in bulk goes to nats-py."""

import asyncio

import pytest
from nats.aio.client import Client
from nats.errors import ProtocolError

from shared.runtime.delivery import Headers
from shared.runtime.wire import Cutter, Frame

BULK = 7
CONSUMERS = b"$JS.ACK.EVENTS.consumer.1.12.3.1767605400123456000.7"
HEADER = b"NATS/1.0\r\nNats-Msg-Id: a\r\nOdd:  b:c \r\n\r\n"


class RecordingClient(Client):
    """A client that notes what its parser hands it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        self.heard.append((sid, subject, reply, data, headers))

    async def _process_ping(self) -> None:
        self.heard.append("ping")


def plain(number: int, payload: bytes, reply: bytes = b"") -> bytes:
    return b"MSG a.b %d %s%d\r\n%s\r\n" % (number, reply and reply + b" ", len(payload), payload)


def headed(number: int, payload: bytes, reply: bytes = b"r.1") -> bytes:
    sizes = b"%d %d" % (len(HEADER), len(HEADER) + len(payload))
    return b"HMSG a.b %d %s %s\r\n%s%s\r\n" % (number, reply, sizes, HEADER, payload)


def told(*pieces: bytes) -> tuple[list[Frame], list[object]]:
    """What comes out in bulk, and what the client was given."""
    client, frames = RecordingClient(), list[Frame]()
    cutter = Cutter({b"%d" % BULK: frames.append})

    async def parse() -> None:
        for piece in pieces:
            await client._ps.parse(cutter.cut(piece))

    asyncio.run(parse())
    return frames, client.heard


ALL = b"".join(
    [
        headed(BULK, b"one"),
        b"PING\r\n",
        plain(3, b"for\r\nnats-py", b"answer.5"),
        headed(BULK, b""),
        headed(3, b"too"),
        plain(BULK, b"MSG a.b 7 1\r\nx\r\n"),
        headed(BULK, b"stored", CONSUMERS),
        headed(3, b"stored, for nats-py", CONSUMERS),
        plain(3, b""),
    ]
)
FRAMES = [
    Frame("a.b", "r.1", HEADER, b"one"),
    Frame("a.b", "r.1", HEADER, b""),
    Frame("a.b", "", b"", b"MSG a.b 7 1\r\nx\r\n"),
    Frame("a.b", CONSUMERS.decode(), HEADER, b"stored"),
]
OTHERS = [
    "ping",
    (3, b"a.b", b"answer.5", b"for\r\nnats-py", None),
    (3, b"a.b", b"r.1", b"too", HEADER),
    (3, b"a.b", CONSUMERS, b"stored, for nats-py", HEADER),
    (3, b"a.b", b"", b"", None),
]


def test_each_frame_goes_to_whom_it_is_for() -> None:
    assert told(ALL) == (FRAMES, OTHERS)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40])
def test_it_does_not_matter_where_the_bytes_are_cut(size: int) -> None:
    assert told(*(ALL[start : start + size] for start in range(0, len(ALL), size))) == (FRAMES, OTHERS)


@pytest.mark.parametrize(
    "line", [b"MSG a.b seven 3", b"HMSG a.b 7 %b 1 -2" % CONSUMERS, b"HMSG a.b 7 %b 1_0 20" % CONSUMERS]
)
def test_a_malformed_message_ends_the_connection(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        told(line + b"\r\none\r\n")


@pytest.mark.parametrize("line", [b"HMSG  a.b 7 %b 12 15", b"HMSG a.b\t7  %b\t12 15"])
def test_the_parts_of_a_line_may_stand_further_apart(line: bytes) -> None:
    frames, _ = told(line % CONSUMERS + b"\r\nNATS/1.0\r\n\r\none\r\n")
    assert frames == [Frame("a.b", CONSUMERS.decode(), b"NATS/1.0\r\n\r\n", b"one")]


def test_a_subject_that_is_no_text_stops_nothing() -> None:
    frames, _ = told(b"MSG a.\xff 7 1\r\nx\r\n" + plain(BULK, b"next"))
    assert [(frame.subject, frame.payload) for frame in frames] == [("a.\ufffd", b"x"), ("a.b", b"next")]


def test_headers_are_read_as_nats_py_reads_them() -> None:
    assert dict(Headers(HEADER)) == {"Nats-Msg-Id": "a", "Odd": "b:c"}
