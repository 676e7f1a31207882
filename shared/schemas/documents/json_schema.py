"""JSON Schemas (draft 2020-12) of everything that crosses the bus."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import ALWAYS_WRITTEN
from shared.schemas.commands import Request
from shared.schemas.envelope import Event
from shared.schemas.session import SessionConfig
from shared.schemas.upcasting import UPCASTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Untitled(GenerateJsonSchema):
    """Without the titles that only repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def version_of(name: str) -> int:
    """The present version of what is called `name`: a type of event, or one of the other schemas."""
    version: int = BY_NAME[name].model_fields["version"].default if name in BY_NAME else 1
    return version


def file_name(name: str, version: int | None = None) -> str:
    """The file of a schema within `shared/schemas/json/`, by default of its present version."""
    return f"{name}.v{version or version_of(name)}.json"


def earlier_files() -> Iterator[str]:
    """The schemas of versions that are still read but no longer written; nothing generates them any more."""
    return (file_name(name, version) for name, version in UPCASTS)


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    body = model.model_json_schema(schema_generator=_Untitled)
    return {"$schema": DIALECT, "$id": f"urn:leitstand:{name}:{version_of(name)}", **body}


def event_schema(kind: type[Event]) -> dict[str, Any]:
    """The schema of one type of event: its writers only, and none of the parts that it does not carry."""
    schema = _schema(kind.model_fields["type"].default, kind)
    fields = {name: field for name, field in schema["properties"].items() if field.get("type") != "null"}
    fields["service"] = {"enum": sorted(kind.WRITERS)}
    required = [name for name in fields if name in ALWAYS_WRITTEN or name in schema["required"]]
    return {**schema, "title": kind.model_fields["type"].default, "properties": fields, "required": required}


def all_schemas() -> dict[str, dict[str, Any]]:
    """Every schema by its name: the catalogue's types, `session` (its file) and `request` (a command's payload)."""
    schemas = {name: event_schema(kind) for name, kind in BY_NAME.items()}
    schemas["session"] = _schema("session", SessionConfig)
    schemas["request"] = _schema("request", Request)
    return schemas
