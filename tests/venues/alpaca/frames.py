"""What Alpaca's streams write, and how a later version of the venue might."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgpack

from tests.venues.alpaca.disturbing import with_unknown_fields, without_optional_fields
from tests.venues.faults import Fault

DISTURBED: Mapping[Fault, Callable[[Any], Any]] = {
    Fault.UNKNOWN_FIELDS: with_unknown_fields,
    Fault.MISSING_FIELDS: without_optional_fields,
}


def packed(message: Any) -> bytes:
    """MessagePack; moments become its timestamps."""
    return bytes(msgpack.packb(message, datetime=True))


def binary_json(message: Any) -> bytes:
    """JSON in a binary frame."""
    return json.dumps(message).encode()
