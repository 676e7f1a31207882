"""The streams of CONTRACT section 3 and how they are brought into being."""

from base64 import b64decode
from typing import Any, NamedTuple

from shared.runtime.connection import Connection, RefusedError
from shared.runtime.errors import FatalError
from shared.schemas.subjects import CONTROL, DEADLETTER, EVENTS, STREAM_SUBJECTS

_SECOND = 1_000_000_000
_NOT_FOUND = 10059
_NO_MESSAGE = 10037
_LASTING: dict[str, Any] = {
    "retention": "limits",
    "storage": "file",
    "discard": "old",
    "max_msgs": -1,
    "max_bytes": -1,
    "max_age": 0,
    "deny_delete": True,
    "deny_purge": True,
    "allow_direct": True,
    "duplicate_window": 120 * _SECOND,
}
STREAMS: dict[str, dict[str, Any]] = {
    EVENTS: {**_LASTING, "allow_atomic": True},
    CONTROL: _LASTING,
    DEADLETTER: {
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_msgs": 100_000,
        "max_bytes": 256 * 1024 * 1024,
        "max_age": 90 * 24 * 3600 * _SECOND,
        "allow_direct": True,
        "duplicate_window": 120 * _SECOND,
    },
}
"""What each stream must be; what is not named here is left as the server has it."""


async def ensure_streams(connection: Connection) -> None:
    """Make the streams that are missing and bring the others up to date; FatalError when one can't be."""
    for name, wanted in STREAMS.items():
        await _ensure(connection, name, {"subjects": list(STREAM_SUBJECTS[name]), **wanted})


async def _ensure(connection: Connection, name: str, wanted: dict[str, Any]) -> None:
    try:
        existing = await _configuration(connection, name)
        if existing is None:
            await connection.api(f"STREAM.CREATE.{name}", {"name": name, **wanted})
        elif any(existing.get(key) != value for key, value in wanted.items()):
            await connection.api(f"STREAM.UPDATE.{name}", {**existing, **wanted})
    except RefusedError as error:
        raise FatalError(f"the stream {name} can't be made what it must be: {error}") from None


async def _configuration(connection: Connection, name: str) -> dict[str, Any] | None:
    try:
        answer = await connection.api(f"STREAM.INFO.{name}")
    except RefusedError as error:
        if error.code == _NOT_FOUND:
            return None
        raise
    found: dict[str, Any] = answer["config"]
    return found


async def last_sequence(connection: Connection, stream: str) -> int:
    """The number of the last message in `stream`, 0 when it is empty."""
    answer = await connection.api(f"STREAM.INFO.{stream}")
    return int(answer["state"]["last_seq"])


class Message(NamedTuple):
    """A message as it is stored, without its headers."""

    subject: str
    payload: bytes


async def message_at(connection: Connection, stream: str, sequence: int) -> Message | None:
    """The message that is number `sequence` in `stream`, None when there is none."""
    return await _message(connection, stream, {"seq": sequence})


async def last_on(connection: Connection, stream: str, subject: str) -> Message | None:
    """The last message on `subject` in `stream`, None when there is none."""
    return await _message(connection, stream, {"last_by_subj": subject})


async def last_number_on(connection: Connection, stream: str, subject: str) -> int:
    """The number of the last message on `subject` (wildcards allowed) in `stream`, 0 when there is none."""
    found = await _found(connection, stream, {"last_by_subj": subject})
    return int(found["seq"]) if found else 0


async def _message(connection: Connection, stream: str, wanted: dict[str, Any]) -> Message | None:
    found = await _found(connection, stream, wanted)
    return Message(found["subject"], b64decode(found.get("data", ""))) if found else None


async def _found(connection: Connection, stream: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
    try:
        answer = await connection.api(f"STREAM.MSG.GET.{stream}", wanted)
    except RefusedError as error:
        if error.code == _NO_MESSAGE:
            return None
        raise
    message: dict[str, Any] = answer["message"]
    return message
