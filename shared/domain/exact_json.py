"""JSON for people and for tools that read numbers: decimals are written as number literals, digit for digit."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.schemas.values import plain


def spelled(value: Any, indent: str = "") -> str:
    """`value` as JSON, objects one field a line; TypeError for what JSON cannot hold."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping) and value:
        inner = indent + "  "
        fields = (f"{inner}{json.dumps(name)}: {spelled(field, inner)}" for name, field in value.items())
        return "{\n" + ",\n".join(fields) + f"\n{indent}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(spelled(item, indent) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
