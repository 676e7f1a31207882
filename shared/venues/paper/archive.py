"""A growing immutable mapping that is cheap to add to."""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

V = TypeVar("V")


class Archive(Generic[V]):
    """What was once put under a name, for good.

    Adding answers a new archive. Layers are merged when they have grown to the size of the one below, so n additions
    copy n log n entries, where copying one dictionary each time would copy n squared.
    """

    __slots__ = ("_layers",)

    def __init__(self, layers: Iterable[Mapping[str, V]] = ()) -> None:
        self._layers = tuple(layers)

    def with_entry(self, name: str, value: V) -> "Archive[V]":
        """This archive and one entry more; a name that is there already gets the new value."""
        layers, newest = list(self._layers), {name: value}
        while layers and len(layers[-1]) <= len(newest):
            newest = {**layers.pop(), **newest}
        return Archive([*layers, newest])

    def get(self, name: str) -> V | None:
        """The value under `name`, None when there is none."""
        return next((layer[name] for layer in reversed(self._layers) if name in layer), None)

    def __contains__(self, name: object) -> bool:
        for layer in self._layers:  # noqa: SIM110, every order asks, and a generator doubles what it costs
            if name in layer:
                return True
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Archive) and self._merged() == other._merged()

    def __repr__(self) -> str:
        return f"Archive({self._merged()!r})"

    def _merged(self) -> dict[str, V]:
        return {name: value for layer in self._layers for name, value in layer.items()}
