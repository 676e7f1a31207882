"""What a benchmark answers: figures, each beside its reference and its target."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    `value` and `reference_value` are in `unit`; `ratio` is value over reference. `target` is in words and `met` tells
    whether it was reached; both are None for a figure that is only told.
    """

    name: str
    value: float
    unit: str
    reference_name: str | None = None
    reference_value: float | None = None
    ratio: float | None = None
    target: str | None = None
    met: bool | None = None


class Reference(NamedTuple):
    """What a speed is held against, in the same run; `there` on the machine for which the targets were set."""

    name: str
    value: float
    there: float


def told(name: str, value: float, unit: str) -> Figure:
    """A figure without a target."""
    return Figure(name, value, unit)


def at_least(name: str, value: float, unit: str, bound: float) -> Figure:
    """A figure that must not be below `bound`, in its own unit."""
    return Figure(name, value, unit, target=f"at least {bound:g} {unit}", met=value >= bound)


def at_most(name: str, value: float, unit: str, bound: float) -> Figure:
    """A figure that must not be above `bound`, in its own unit."""
    return Figure(name, value, unit, target=f"at most {bound:g} {unit}", met=value <= bound)


def beside(name: str, value: float, unit: str, reference_name: str, reference_value: float) -> Figure:
    """A figure beside its reference, without a target."""
    return Figure(name, value, unit, reference_name, reference_value, value / reference_value)


def at_least_times(
    name: str, value: float, unit: str, reference_name: str, reference_value: float, bound: float
) -> Figure:
    """A figure that must reach `bound` times its reference: a speed."""
    ratio = value / reference_value
    target = f"at least {bound:g} × {reference_name}"
    return Figure(name, value, unit, reference_name, reference_value, ratio, target, ratio >= bound)


def at_most_times(
    name: str, value: float, unit: str, reference_name: str, reference_value: float, bound: float
) -> Figure:
    """A figure that must stay within `bound` times its reference: a duration."""
    ratio = value / reference_value
    target = f"at most {bound:g} × {reference_name}"
    return Figure(name, value, unit, reference_name, reference_value, ratio, target, ratio <= bound)


def at_least_as_there(name: str, value: float, unit: str, bound: float, reference: Reference) -> Sequence[Figure]:
    """A speed that must reach `bound`, and in any case as much of its reference as `bound` was where it was set.

    So a machine that is slower altogether misses the first target, and a program that is slower the second as well.
    """
    share = bound / reference.there
    beside_it = at_least_times(name, value, unit, reference.name, reference.value, share)
    words = f"at least {share:.3g} × {reference.name}, as {bound:,.0f} of {reference.there:,.0f}"
    return at_least(name, value, unit, bound), replace(beside_it, target=words)


def at_most_as_there(name: str, value: float, unit: str, bound: float, reference: Reference) -> Sequence[Figure]:
    """A duration that must stay within `bound`, and in any case within as many times its reference as `bound` was."""
    share = bound / reference.there
    beside_it = at_most_times(name, value, unit, reference.name, reference.value, share)
    words = f"at most {share:.3g} × {reference.name}, as {bound:g} of {reference.there:.3g} {unit}"
    return at_most(name, value, unit, bound), replace(beside_it, target=words)
