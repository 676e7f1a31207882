"""The AsyncAPI 3.0 document: the three streams, their messages, who sends and who receives."""

from typing import Any, get_args

from shared.schemas.catalogue import BY_NAME
from shared.schemas.commands import CommandName
from shared.schemas.documents.event_table import meaning
from shared.schemas.documents.json_schema import file_name
from shared.schemas.envelope import Event
from shared.schemas.subjects import CONTROL, DEADLETTER, EVENTS, command_subject, deadletter_subject, event_subject
from shared.schemas.values import SERVICES, STACK

SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
COMMANDS: tuple[str, ...] = get_args(CommandName)
WITHOUT_FORM = frozenset({"kill", "pause"})
"""Commands that work with any payload or none."""


def _payload(name: str) -> dict[str, Any]:
    return {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"../shared/schemas/json/{file_name(name)}"}}


def _event_message(name: str, kind: type[Event]) -> dict[str, Any]:
    return {
        "name": name,
        "summary": meaning(kind),
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {"Nats-Msg-Id": {"type": "string", "format": "uuid", "description": "the event's id"}},
        },
        "payload": _payload(name),
        "x-writers": sorted(kind.WRITERS),
        "x-readers": sorted(kind.READERS),
    }


def _command_message(name: str) -> dict[str, Any]:
    if name in WITHOUT_FORM:
        return {"name": name, "summary": f"{name}: any payload or none; what it says is the reason", "payload": {}}
    return {"name": name, "summary": f"{name}: with a reason and an operator", "payload": _payload("request")}


def _deadletter_message() -> dict[str, Any]:
    headers = {
        "Leitstand-Subject": "the original subject",
        "Leitstand-Sequence": "its number in the original stream",
        "Leitstand-Reason": "why it could not be handled",
        "Leitstand-Truncated": "the original length in bytes, where only the beginning was kept",
    }
    described = {name: {"type": "string", "description": text} for name, text in headers.items()}
    return {
        "name": "deadletter",
        "summary": "The original bytes of what a service could not decode or handle",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": described},
        "payload": {},
    }


def _refs(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _channels() -> dict[str, Any]:
    session = {"session_id": {"description": f"UUID of the session; {STACK} for facts of the whole stack"}}
    service = {"service": {"enum": list(SERVICES), "description": "the writer"}}
    command = {"command": {"enum": list(COMMANDS), "description": "what an operator asks for"}}
    return {
        "events": {
            "address": event_subject("{session_id}", "{service}", "{type}"),
            "description": f"Stream {EVENTS}: every fact in one total order",
            "parameters": {**session, **service, "type": {"enum": list(BY_NAME), "description": "the event's type"}},
            "messages": _refs(list(BY_NAME)),
        },
        "control": {
            "address": command_subject("{command}"),
            "description": f"Stream {CONTROL}: commands to every session",
            "parameters": command,
            "messages": _refs(list(COMMANDS)),
        },
        "control_session": {
            "address": command_subject("{command}", "{session_id}"),
            "description": f"Stream {CONTROL}: commands to one session",
            "parameters": {**command, **session},
            "messages": _refs(list(COMMANDS)),
        },
        "deadletter": {
            "address": deadletter_subject("{service}"),
            "description": f"Stream {DEADLETTER}: what a service could not decode or handle",
            "parameters": {"service": {"enum": list(SERVICES), "description": "who could not handle it"}},
            "messages": _refs(["deadletter"]),
        },
    }


def _operation(action: str, channel: str, names: list[str]) -> dict[str, Any]:
    messages = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": messages}


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for service in SERVICES:
        told = [name for name, kind in BY_NAME.items() if service in kind.WRITERS]
        read = [name for name, kind in BY_NAME.items() if service in kind.READERS]
        operations[f"{service}_tells"] = _operation("send", "events", told)
        operations[f"{service}_reads"] = _operation("receive", "events", read)
        operations[f"{service}_gives_up"] = _operation("send", "deadletter", ["deadletter"])
    for channel in ("control", "control_session"):
        operations[f"operator_asks_{channel}"] = _operation("send", channel, list(COMMANDS))
        operations[f"risk_obeys_{channel}"] = _operation("receive", channel, list(COMMANDS))
    return operations


def asyncapi() -> dict[str, Any]:
    """The whole document."""
    messages = {name: _event_message(name, kind) for name, kind in BY_NAME.items()}
    messages.update({name: _command_message(name) for name in COMMANDS})
    messages["deadletter"] = _deadletter_message()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Leitstand",
            "version": "1.0.0",
            "description": "Facts and commands on NATS JetStream. Generated from shared/schemas; do not edit.",
        },
        "defaultContentType": "application/json",
        "servers": {"bus": {"host": "127.0.0.1:4222", "protocol": "nats", "description": "NATS with JetStream"}},
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": messages},
    }
