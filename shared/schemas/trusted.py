"""Makes facts from parts that are valid already, at a fraction of what checking them once more costs."""

from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from shared.schemas.envelope import Value

V = TypeVar("V", bound=Value)
Setter = Callable[[Any, Any], None]


def _setter(kind: type[Any], name: str) -> Setter:
    """Sets the slot `name` past the class, which is frozen for everybody but those who make it."""
    slot: Setter = vars(kind)[name].__set__
    return slot


_set_values, _set_given, _set_extra, _set_private = (
    _setter(BaseModel, f"__{name}__") for name in ("dict", "pydantic_fields_set", "pydantic_extra", "pydantic_private")
)


class _Mould(NamedTuple):
    """`values` names every field in its order and holds the defaults; `required` must be given.

    `take_required` raises a KeyError where one of those is missing.
    """

    values: dict[str, Any]
    required: frozenset[str]
    take_required: Callable[[dict[str, Any]], Any]
    names: set[str]


@cache
def _mould(kind: type[Value]) -> _Mould:
    fields = kind.model_fields
    required = frozenset(name for name, field in fields.items() if field.is_required())
    values = {name: field.default for name, field in fields.items()}
    return _Mould(values, required, itemgetter(*required) if required else len, set(fields))


def trusted(kind: type[V], given: dict[str, Any]) -> V:
    """What `kind(**given)` would be, without validation: `given` must hold valid values of the fields' types.

    TypeError for a field that is missing or unknown. Bytes and whatever else comes from outside go through `kind`.
    """
    mould = _mould(kind)
    values = mould.values | given
    try:
        mould.take_required(given)
    except KeyError:
        raise _unfit(kind, mould, given) from None
    if len(values) != len(mould.values):
        raise _unfit(kind, mould, given)
    return filled(kind, values, mould.names)


def filled(kind: type[V], values: dict[str, Any], given: set[str]) -> V:
    """The very object that `values` make up: all fields' values, defaults too, in the fields' order.

    `given` names the fields that were told. Nothing at all is checked, and `values` must not be used any further.
    """
    made = object.__new__(kind)
    _set_values(made, values)
    _set_given(made, given)
    _set_extra(made, None)
    _set_private(made, None)
    return made


def setters(kind: type[Any]) -> Sequence[Setter]:
    """What sets the fields of a frozen dataclass with slots, in their order, in an object that `__new__` has made."""
    return [_setter(kind, name) for name in kind.__slots__]


def _unfit(kind: type[Value], mould: _Mould, given: dict[str, Any]) -> TypeError:
    odd = {*(given.keys() - mould.names), *mould.required.difference(given)}
    return TypeError(f"{kind.__name__}: missing or unknown are {', '.join(sorted(odd))}")
