"""Facts to bytes and back."""

import json
import re
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from shared.schemas import as_written
from shared.schemas.catalogue import BY_NAME
from shared.schemas.envelope import Event
from shared.schemas.subjects import event_subject, parse_event_subject
from shared.schemas.upcasting import raised

ALWAYS_WRITTEN = frozenset({"type", "level", "version"})
"""Fields that have defaults in Python and must nevertheless be in the bytes."""


class UndecodableError(ValueError):
    """The bytes are no event that this version knows; the message says why."""


class UnknownVersionError(UndecodableError):
    """A fact of a known type, in a version that this program can't read: others are newer, or it needs an upcast.

    `told_by` are the session and the service that the fact names.
    """

    def __init__(self, message: str, told_by: tuple[Any, Any]) -> None:
        super().__init__(message)
        self.told_by = told_by


def encode(event: Event) -> bytes:
    """The event as one line of JSON, UTF-8, without absent fields."""
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


def decode(subject: str, payload: bytes) -> Event:
    """The event stored under `subject`; UndecodableError when it is none, or tells another's fact.

    Facts of earlier versions are raised to the present one; UnknownVersionError for a version that can't be read.
    """
    session_id, service, name = _address(subject)
    try:
        event = decode_as(name, payload)
    except UnknownVersionError as error:
        if error.told_by != (session_id, service):
            raise _misplaced(subject, *error.told_by) from None
        raise
    if event.session_id != session_id or event.service != service:
        raise _misplaced(subject, event.session_id, event.service)
    return event


@lru_cache(maxsize=1024)
def _address(subject: str) -> tuple[str, str, str]:
    """Session, service and type; UndecodableError when that service may not tell facts of that type."""
    try:
        session_id, service, name = parse_event_subject(subject)
    except ValueError as error:
        raise UndecodableError(str(error)) from None
    kind = BY_NAME.get(name)
    if kind is not None and service not in kind.WRITERS:
        raise UndecodableError(f"{service} may not tell {name}")
    return session_id, service, name


def _misplaced(subject: str, session_id: Any, service: Any) -> UndecodableError:
    return UndecodableError(f"written by {service} for session {session_id}, but found under {subject}")


def decode_as(name: str, payload: bytes) -> Event:
    """The event of type `name`; UndecodableError when the type is unknown or the bytes do not fit it."""
    kind = BY_NAME.get(name)
    if kind is None:
        raise UndecodableError(f"unknown event type {name!r}")
    event = as_written.read(kind, payload)
    if event is not None:
        return event
    event = _as_we_write(kind, payload) or _not_canonical(name, kind, payload)
    if not ALWAYS_WRITTEN.issubset(event.__pydantic_fields_set__):
        missing = sorted(ALWAYS_WRITTEN - event.model_fields_set)
        raise UndecodableError(f"{name}: {', '.join(missing)}: Field required")
    return event


def _as_we_write(kind: type[Event], payload: bytes) -> Event | None:
    """The event where `encode` may have written it, at half the cost; None says nothing yet."""
    try:
        event: Event = kind.__pydantic_validator__.validate_json(payload, strict=True)
    except ValidationError:
        return None
    return event


def _not_canonical(name: str, kind: type[Event], payload: bytes) -> Event:
    """The event where it is not written as `encode` writes it, which is allowed."""
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        return _of_another_version(name, kind, payload, error)


def _of_another_version(name: str, kind: type[Event], payload: bytes, refusal: ValidationError) -> Event:
    """The event where only its age speaks against it. Looked at after the refusal, so that others pay nothing."""
    if not any(problem["loc"] == ("version",) for problem in refusal.errors(include_url=False)):
        raise _undecodable(name, refusal)
    try:
        tree = json.loads(payload)
    except (ValueError, RecursionError):
        raise _undecodable(name, refusal) from None
    version = tree["version"]
    if type(version) is not int or version < 1 or tree.get("type") != name:
        raise UndecodableError(f"{name}: version: a whole number from 1 on is wanted, and its own type")
    try:
        return kind.model_validate_json(_raised(name, kind, tree))
    except ValidationError as error:
        raise _undecodable(f"{name} of version {version}", error) from None


def _raised(name: str, kind: type[Event], tree: dict[str, Any]) -> bytes:
    version, known = tree["version"], kind.model_fields["version"].default
    try:
        present = raised(name, tree, known)
    except (KeyError, TypeError):
        raise UndecodableError(f"{name} lacks what its version {version} wrote") from None
    if present is None:
        advice = "update it" if version > known else "shared/schemas/upcasting.py lacks the way from there"
        raise UnknownVersionError(
            f"{name} is of version {version}, but this program knows {known}; {advice}",
            (tree.get("session_id"), tree.get("service")),
        )
    return json.dumps(present).encode()


def _undecodable(name: str, error: ValidationError) -> UndecodableError:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"])) or "the payload"
    return UndecodableError(f"{name}: {place}: {first['msg']}")


_TYPE = re.compile(rb'"type":"([a-z_]+)"')


def decode_line(line: bytes) -> Event:
    """The event that a line of `events.jsonl` holds; UndecodableError when it is none."""
    # What looks like the type is usually it; that it is not shows, for each type of event accepts its own name alone.
    likely = _TYPE.search(line)
    kind = BY_NAME.get(likely[1].decode()) if likely else None
    event = as_written.read(kind, line) or _as_we_write(kind, line) if kind else None
    return event if event and ALWAYS_WRITTEN.issubset(event.__pydantic_fields_set__) else _of_its_type(line)


def _of_its_type(line: bytes) -> Event:
    try:
        name = json.loads(line)["type"]
    except (ValueError, KeyError, TypeError):
        raise UndecodableError("the line is no JSON object with a type") from None
    if not isinstance(name, str):
        raise UndecodableError(f"unknown event type {name!r}")
    return decode_as(name, line)


def subject_of(event: Event) -> str:
    """The subject under which `event` is published."""
    return event_subject(event.session_id, event.service, event.type)
