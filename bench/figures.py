"""What a benchmark answers: figures, each beside its reference and its target."""

from dataclasses import dataclass


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
