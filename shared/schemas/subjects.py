"""The only place where subject strings, stream names and durable names are written."""

from functools import lru_cache

EVENTS = "EVENTS"
CONTROL = "CONTROL"
DEADLETTER = "DEADLETTER"

STREAM_SUBJECTS: dict[str, tuple[str, ...]] = {
    EVENTS: ("events.*.*.*",),
    CONTROL: ("control.>",),
    DEADLETTER: ("deadletter.*",),
}
ALL_EVENTS = "events.>"
ALL_COMMANDS = "control.>"
WHOLE_STREAM: dict[str, str] = {EVENTS: ALL_EVENTS, CONTROL: ALL_COMMANDS}
"""The subjects that take in everything, of the streams from which nothing is ever deleted."""


def event_subject(session_id: str, service: str, kind: str) -> str:
    """Where a fact is published: `events.<session_id>.<service>.<type>`."""
    return f"events.{session_id}.{service}.{kind}"


def writer_subjects(session_id: str, service: str) -> str:
    """Everything that `service` tells about a session."""
    return f"events.{session_id}.{service}.>"


def session_subjects(session_id: str) -> str:
    """Everything told about a session."""
    return f"events.{session_id}.>"


def every_session(service: str, kind: str) -> str:
    """One type of fact, whatever the session."""
    return f"events.*.{service}.{kind}"


def command_subject(command: str, session_id: str | None = None) -> str:
    """Where a command goes: to every session, or to one."""
    return f"control.{command}.{session_id}" if session_id else f"control.{command}"


@lru_cache(maxsize=1024)
def parse_event_subject(subject: str) -> tuple[str, str, str]:
    """`(session_id, service, type)` of an event's subject; ValueError when it is none."""
    parts = subject.split(".")
    if len(parts) != 4 or parts[0] != "events":
        raise ValueError(f"{subject!r} is no subject of an event")
    return parts[1], parts[2], parts[3]


def parse_command_subject(subject: str) -> tuple[str, str | None]:
    """`(command, session_id or None)` of a command's subject; ValueError when it is none."""
    parts = subject.split(".", 2)
    if len(parts) < 2 or parts[0] != "control":
        raise ValueError(f"{subject!r} is no subject of a command")
    return parts[1], parts[2] if len(parts) == 3 else None


def deadletter_subject(service: str) -> str:
    """Where `service` puts what it could not decode or handle."""
    return f"deadletter.{service}"
