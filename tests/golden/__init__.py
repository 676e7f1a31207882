"""Samples of every version of every event, as they stand in streams that must stay readable."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent / "events"
Place = tuple[str | int, ...]


def names() -> list[str]:
    """Every `<type>.v<version>` that has a sample."""
    return sorted(file.stem for file in EVENTS.glob("*.json"))


def sample(name: str) -> Any:
    """The sample `<type>.v<version>` as JSON."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def places(tree: Any, here: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place in a JSON value with what stands there, the value itself first."""
    yield here, tree
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield from places(value, (*here, key))


def replaced(tree: Any, place: Place, value: Any) -> Any:
    """A copy of a JSON value with something else at one place, which may be new."""
    copy = deepcopy(tree)
    parent = copy
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    return copy
