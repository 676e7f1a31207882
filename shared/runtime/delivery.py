"""A stored message as the bus hands it out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from nats.aio.msg import Msg

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_TOKENS_WITHOUT_DOMAIN = 9


class Delivery(NamedTuple):
    """A message of a stream: `sequence` is its number there, `stored_at` the server's clock when it was stored."""

    subject: str
    payload: bytes
    sequence: int
    stored_at: datetime
    headers: Mapping[str, str]


class Receipt(NamedTuple):
    """What the server tells along with a delivery.

    `number` counts what the consumer delivered, `pending` is how many matching messages are still to come, `reply` is
    where an acknowledgement goes.
    """

    number: int
    pending: int
    reply: str


def received(message: Msg) -> tuple[Delivery, Receipt]:
    """A message of a JetStream consumer and its receipt, read from the reply subject (ADR-15)."""
    tokens = message.reply.split(".")
    first = 5 if len(tokens) == _TOKENS_WITHOUT_DOMAIN else 7
    sequence, number, nanoseconds, pending = tokens[first : first + 4]
    delivery = Delivery(
        message.subject,
        message.data,
        int(sequence),
        datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC),
        message.headers or _NO_HEADERS,
    )
    return delivery, Receipt(int(number), int(pending), message.reply)
