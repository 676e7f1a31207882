"""A stored message as the bus hands it out."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from shared.runtime.wire import Frame

_TOKENS_WITHOUT_DOMAIN = 9
_new = tuple.__new__  # a named tuple's own way of making itself takes twice as long


class Delivery(NamedTuple):
    """A message of a stream: `sequence` is its number there."""

    subject: str
    payload: bytes
    sequence: int
    stored_nanoseconds: int
    """The server's clock when it was stored, since 1970."""
    header: bytes = b""
    """The whole block of headers, empty without any."""

    @property
    def headers(self) -> "Headers":
        """The headers by name."""
        return Headers(self.header)

    @property
    def stored_at(self) -> datetime:
        """The server's clock when it was stored."""
        return datetime.fromtimestamp(self.stored_nanoseconds / 1e9, UTC)


class Receipt(NamedTuple):
    """What the server tells along with a delivery.

    `number` counts what the consumer delivered, `pending` is how many matching messages are still to come, `reply` is
    where an acknowledgement goes.
    """

    number: int
    pending: int
    reply: str


class Headers(Mapping[str, str]):
    """A block of headers, read when somebody asks: few do."""

    def __init__(self, block: bytes) -> None:
        self._block = block

    @cached_property
    def _parsed(self) -> dict[str, str]:
        lines = (line.partition(b":") for line in self._block.split(b"\r\n")[1:])
        return {
            name.strip().decode(errors="replace"): value.strip().decode(errors="replace")
            for name, _, value in lines
            if name
        }

    def __getitem__(self, name: str) -> str:
        return self._parsed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parsed)

    def __len__(self) -> int:
        return len(self._parsed)


def received(frame: Frame) -> tuple[Receipt, Delivery]:
    """A message of a JetStream consumer and its receipt, read from the reply subject (ADR-15).

    ValueError for a frame that no consumer has sent.
    """
    subject, reply, header, payload = frame
    tokens = reply.split(".")
    first = 5 if len(tokens) == _TOKENS_WITHOUT_DOMAIN else 7
    sequence, number, nanoseconds, pending = tokens[first : first + 4]
    receipt = _new(Receipt, (int(number), int(pending), reply))
    return receipt, _new(Delivery, (subject, payload, int(sequence), int(nanoseconds), header))
