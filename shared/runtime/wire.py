"""What the server sends, cut into frames; what somebody reads in bulk goes to him without nats-py's detour.

For every message nats-py parses headers, makes an object, and passes it on through a queue to a task; that costs ten
times what the frame itself does. Everything else is left to its parser, frame by frame, in the order of arrival.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

_MESSAGE = re.compile(
    rb"(?:MSG|HMSG)[ \t]+(\S+)[ \t]+(\d+)[ \t]+(?:([^\s]*[^\s\d][^\s]*)[ \t]+)?(?:(\d+)[ \t]+)?(\d+)\r\n"
)
_MAY_BE_MESSAGE = (b"MSG", b"HMS")
_LONGEST_LINE = 1024 * 1024
"""The server's INFO is the longest line that is no message."""
_END = b"\r\n"


class Frame(NamedTuple):
    """A message as it came; `header` is the whole block of headers, empty without any.

    A subject that is no UTF-8 holds replacement characters, so it is none of ours and nobody stumbles over it.
    """

    subject: str
    reply: str
    header: bytes
    payload: bytes


Heard = Callable[[Frame], None]


class Wire(Parser):
    """Takes the place of the client's own parser. There is no public way; `test_bus_consuming.py` fails without it."""

    def __init__(self, client: Client) -> None:
        self._heard: dict[bytes, Heard] = {}
        self._rest = b""
        super().__init__(client)

    def reset(self) -> None:
        """Forget what a connection that is gone has sent in part."""
        self._rest = b""
        super().reset()

    def direct(self, number: int, heard: Heard) -> None:
        """Give the frames of subscription `number` to `heard`, which must not raise, as soon as they come."""
        self._heard[b"%d" % number] = heard

    def forget(self, number: int) -> None:
        """Leave the subscription to nats-py again."""
        self._heard.pop(b"%d" % number, None)

    async def parse(self, data: bytes = b"") -> None:
        """Take what has come; called by the client's reading loop."""
        data = self._rest + data if self._rest else bytes(data)
        self._rest = b""
        place = 0
        while place < len(data):
            place, end = self._direct(data, place)
            if end == place:
                break
            await super().parse(data[place:end])
            place = end
        self._rest = data[place:]

    def _direct(self, data: bytes, place: int) -> tuple[int, int]:
        """Pass on frames from `place` on; answers where the first begins and ends that is not for us.

        Both are the same where that one has not come whole.
        """
        match, known, size = _MESSAGE.match, self._heard, len(data)
        while found := match(data, place):
            subject, number, reply, header, length = found.groups()
            start = found.end()
            end = start + int(length) + 2
            if end > size:
                return place, place
            heard = known.get(number)
            if heard is None:
                return place, end
            split = start + int(header) if header else start
            heard(
                Frame(
                    subject.decode(errors="replace"),
                    reply.decode() if reply else "",
                    data[start:split],
                    data[split : end - 2],
                )
            )
            place = end
        return place, _line_end(data, place)


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
