"""States as bytes and back: a pickle that may name only the values that states are made of.

What is read names its classes, and making an object is calling its class. So only classes from packages that know no
input and no output may be named (import-linter holds them to that), and a handful of plain ones.
"""

import dataclasses
import io
import pickle
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

PLAIN: frozenset[tuple[str, str]] = frozenset(
    {
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "time"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("decimal", "Decimal"),
    }
)


class UnpackableError(ValueError):
    """The state holds what can't be packed, or the bytes are no packed state; the message says what it stumbled on."""


def read_only(content: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """A view that can't be written to, as states hold it where nothing is in it yet."""
    return MappingProxyType(content)


def pack(state: Any) -> bytes:
    """The state as bytes; UnpackableError when it holds what `unpack` could not make."""
    target = io.BytesIO()
    try:
        _Packer(target, protocol=5).dump(state)
    except Exception as error:
        raise UnpackableError(f"the state can't be packed: {error}") from None
    return target.getvalue()


def unpack(content: bytes, packages: Sequence[str]) -> Any:
    """The state in `content`, made of plain values and of classes in `packages` only; UnpackableError for all else."""
    try:
        return _Unpacker(content, tuple(packages)).load()
    except Exception as error:
        raise UnpackableError(f"no packed state: {type(error).__name__}: {error}") from None


class _Packer(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        """Frozen dataclasses are made by calling them, so that it does not matter whether they are compiled."""
        if type(obj) is MappingProxyType:
            return read_only, (dict(obj),)
        if not dataclasses.is_dataclass(obj) or isinstance(obj, type):
            return NotImplemented
        return type(obj), tuple(getattr(obj, field.name) for field in dataclasses.fields(obj))


class _Unpacker(pickle.Unpickler):
    def __init__(self, content: bytes, packages: tuple[str, ...]) -> None:
        super().__init__(io.BytesIO(content))
        self._packages = packages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in PLAIN or (module, name) == (__name__, read_only.__name__):
            return super().find_class(module, name)
        if not any(module == package or module.startswith(f"{package}.") for package in self._packages):
            raise pickle.UnpicklingError(f"{module}.{name} may not be part of a state")
        found = super().find_class(module, name)
        if not isinstance(found, type) or found.__module__ != module:
            raise pickle.UnpicklingError(f"{module}.{name} is no class of its own")
        return found
