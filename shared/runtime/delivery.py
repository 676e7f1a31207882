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
    """What the server tells along with a delivery: its number among the consumer's, and how many are still to come."""

    consumer: str
    consumer_sequence: int
    pending: int


def received(message: Msg) -> tuple[Delivery, Receipt]:
    """A message of a JetStream consumer and its receipt, read from the reply subject (ADR-15)."""
    tokens = message.reply.split(".")
    first = 3 if len(tokens) == _TOKENS_WITHOUT_DOMAIN else 5
    consumer, _, sequence, consumer_sequence, nanoseconds, pending = tokens[first : first + 6]
    delivery = Delivery(
        message.subject,
        message.data,
        int(sequence),
        datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC),
        message.headers or _NO_HEADERS,
    )
    return delivery, Receipt(consumer, int(consumer_sequence), int(pending))
