"""Writes the little of YAML 1.2 that the generated documents need; strings that could be misread are quoted."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]*( [A-Za-z0-9_/.,()-]+)*")
_MISREAD = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _MISREAD:
        return value
    return json.dumps(value, ensure_ascii=False)


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if _nested(value):
        yield f"{indent}{head}"
        yield from _lines(value, f"{indent}  ")
    else:
        yield f"{indent}{head} {_scalar(value)}"


def _item(value: Any, indent: str) -> Iterator[str]:
    first, *rest = _lines(value, f"{indent}  ") if _nested(value) else [f"{indent}  {_scalar(value)}"]
    yield f"{indent}- {first.lstrip(' ')}"
    yield from rest


def _lines(value: Mapping[str, Any] | Sequence[Any], indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _entry(f"{_scalar(key)}:", inner, indent)
    else:
        for inner in value:
            yield from _item(inner, indent)


def to_yaml(document: Mapping[str, Any]) -> str:
    """The document in block style, in the order of its keys."""
    return "\n".join(_lines(document, "")) + "\n"
