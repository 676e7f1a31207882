"""Named tuples that are changed often."""

from typing import Any, TypeVar

T = TypeVar("T", bound=tuple[Any, ...])


def often_replaced(kind: type[T]) -> type[T]:
    """Give a named tuple a `_replace` whose cost hardly grows with its fields: a decider calls it at every fact."""
    places = {name: place for place, name in enumerate(kind._fields)}  # type: ignore[attr-defined]
    make = tuple.__new__

    def _replace(self: T, /, **changes: Any) -> T:
        values = list(self)
        try:
            for name, value in changes.items():
                values[places[name]] = value
        except KeyError as error:
            raise ValueError(f"{kind.__name__} has no field {error}") from None
        return make(kind, values)

    kind._replace = _replace  # type: ignore[attr-defined]
    return kind
