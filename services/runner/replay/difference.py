"""The first decision that is not what was recorded, both sides of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from shared.schemas.envelope import Event, Value

IGNORED = frozenset({"timestamp", "message", "version"})
"""What may differ without a decision being another: the clock on the wall, the words for people, the schema."""


class Difference(NamedTuple):
    """`recorded` or `decided` is None where one side has no fact at all. `cause` says what both follow from."""

    cause: str
    recorded: Event | None
    decided: Event | None

    def fields(self) -> Sequence[tuple[str, Any, Any]]:
        """The parts that differ: name, recorded, decided."""
        if self.recorded is None or self.decided is None:
            return ()
        return tuple(_differing("", _content(self.recorded), _content(self.decided)))


def first_difference(
    cause: Callable[[], str], recorded: Sequence[Event], decided: Sequence[Event]
) -> Difference | None:
    """The first pair of facts that aren't the same decision, None when all are. Only a difference has its `cause`."""
    for one, other in zip_longest(recorded, decided):
        if one is None or other is None or not _same(one, other):
            return Difference(cause(), one, other)
    return None


def _same(one: Event, other: Event) -> bool:
    if type(one) is not type(other):
        return False
    parts = other.__dict__
    for name, value in one.__dict__.items():
        its = parts[name]
        if value is not its and name not in IGNORED and not _equal(value, its):
            return False
    return True


def _equal(one: Any, other: Any) -> bool:
    """As pydantic has it for models, at a fraction of what its comparison costs."""
    if isinstance(one, Value) and type(one) is type(other):
        return one.__dict__ == other.__dict__
    return bool(one == other)


def _content(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude=set(IGNORED), exclude_none=True)


def _differing(path: str, left: Any, right: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for name in dict.fromkeys((*left, *right)):
            yield from _differing(f"{path}.{name}".lstrip("."), left.get(name), right.get(name))
    elif left != right:
        yield path, left, right
