"""Facts to bytes and back."""

import json

from pydantic import ValidationError

from shared.schemas.catalogue import BY_NAME
from shared.schemas.envelope import Event
from shared.schemas.subjects import event_subject, parse_event_subject

ALWAYS_WRITTEN = frozenset({"type", "level", "version"})
"""Fields that have defaults in Python and must nevertheless be in the bytes."""


class UndecodableError(ValueError):
    """The bytes are no event that this version knows; the message says why."""


def encode(event: Event) -> bytes:
    """The event as one line of JSON, UTF-8, without absent fields."""
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


def decode(subject: str, payload: bytes) -> Event:
    """The event stored under `subject`; UndecodableError when it is none, or tells another's fact."""
    try:
        session_id, service, name = parse_event_subject(subject)
    except ValueError as error:
        raise UndecodableError(str(error)) from None
    event = decode_as(name, payload)
    if (event.session_id, event.service) != (session_id, service):
        raise UndecodableError(f"written by {event.service} for session {event.session_id}, but found under {subject}")
    if service not in type(event).WRITERS:
        raise UndecodableError(f"{service} may not tell {name}")
    return event


def decode_as(name: str, payload: bytes) -> Event:
    """The event of type `name`; UndecodableError when the type is unknown or the bytes do not fit it."""
    kind = BY_NAME.get(name)
    if kind is None:
        raise UndecodableError(f"unknown event type {name!r}")
    try:
        event = kind.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the payload"
        raise UndecodableError(f"{name}: {place}: {first['msg']}") from None
    if missing := ALWAYS_WRITTEN - event.model_fields_set:
        raise UndecodableError(f"{name}: {', '.join(sorted(missing))}: Field required")
    return event


def decode_line(line: bytes) -> Event:
    """The event that a line of `events.jsonl` holds; UndecodableError when it is none."""
    try:
        name = json.loads(line)["type"]
    except (ValueError, KeyError, TypeError):
        raise UndecodableError("the line is no JSON object with a type") from None
    return decode_as(name, line)


def subject_of(event: Event) -> str:
    """The subject under which `event` is published."""
    return event_subject(event.session_id, event.service, event.type)
