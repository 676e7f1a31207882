"""The equity curve and the drawdown below it, on one time axis.

The SVG is stretched to its box; labels are HTML on top of it, so they keep their size on a phone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from shared.domain.report.markup import grouped, minute, percentage, text
from shared.domain.report.scales import Sample, round_steps, thinned, time_steps

COLUMNS = 1200
_WIDTH, _HEIGHT = 1200.0, 100.0


class Box:
    """Places samples in a drawing of 1200 by 100 units and tells places in per cent of the box."""

    def __init__(self, start: float, end: float, low: float, high: float) -> None:
        self.start, self.end = start, max(end, start + 1.0)
        pad = (high - low) * 0.06 or max(abs(high), 1.0) * 0.01
        self.low, self.high = low - pad, high + pad

    def x(self, at: float) -> float:
        """Units from the left."""
        return (at - self.start) / (self.end - self.start) * _WIDTH

    def y(self, value: float) -> float:
        """Units from the top, which are per cent of the height as well."""
        return (self.high - value) / (self.high - self.low) * _HEIGHT

    def left(self, at: float) -> str:
        """The distance from the left as CSS."""
        return f"{self.x(at) / _WIDTH * 100:.3f}%"

    def path(self, samples: Iterable[Sample]) -> str:
        """A line through the samples."""
        return "M" + "L".join(f"{self.x(at):.2f},{self.y(value):.2f}" for at, value in samples)


def drawdowns(samples: Sequence[Sample], peak: float) -> list[Sample]:
    """How far below its peak so far the curve is, as a share of the peak and never above zero."""
    fallen = []
    for at, value in samples:
        peak = max(peak, value)
        fallen.append((at, value / peak - 1 if peak > 0 else 0.0))
    return fallen


Points = Sequence[tuple[datetime, Decimal]]


def chart(equity: Points, capital: Decimal, quote: str, digits: int, shadow: Points = ()) -> str:
    """Both curves as HTML, the equity beside that of `shadow`; a sentence when there are fewer than two points."""
    if len(equity) < 2:
        return '<p class="empty">No bars were traded, so there is no curve to draw.</p>'
    samples, other = _samples(equity), _samples(shadow)
    return (
        f'<figure class="curves">{_equity(samples, other, float(capital), quote, digits)}'
        f"{_drawdown(samples, float(capital))}{_time_axis(samples)}</figure>"
        f'<p class="caption">{text(minute(equity[0][0]))} to {text(minute(equity[-1][0]))} UTC, market time. '
        f"The dashed line is the initial capital{_WITH_SHADOW if other else ''}.</p>"
    )


_WITH_SHADOW = ", the one of dashes and dots what the shadow would have"


def _samples(points: Points) -> list[Sample]:
    return [(at.timestamp(), float(value)) for at, value in points]


def _equity(samples: Sequence[Sample], other: Sequence[Sample], capital: float, quote: str, digits: int) -> str:
    values = [value for _, value in (*other, *samples)]
    box = Box(samples[0][0], samples[-1][0], min(*values, capital), max(*values, capital))
    line = box.path(thinned(samples, COLUMNS))
    base = box.y(capital)
    drawing = (
        f'<path class="area" d="{line}L{_WIDTH:.0f},{base:.2f}L0,{base:.2f}Z"/>'
        f'<line class="base" x1="0" x2="{_WIDTH:.0f}" y1="{base:.2f}" y2="{base:.2f}"/>'
        f'<path class="line" d="{line}"/>{_shadow_line(box, other)}'
    )
    steps = round_steps(box.low, box.high)
    labels = [(value, grouped(value, _label_digits(steps, digits))) for value in steps]
    last = f'<span class="last" style="top:{box.y(values[-1]):.2f}%">{grouped(values[-1], digits)}</span>'
    return _panel("equity", f"Equity, {quote}", box, drawing, labels, last + _shadow_label(box, other, digits))


def _shadow_line(box: Box, other: Sequence[Sample]) -> str:
    return f'<path class="shadow" d="{box.path(thinned(other, COLUMNS))}"/>' if other else ""


def _shadow_label(box: Box, other: Sequence[Sample], digits: int) -> str:
    if not other:
        return ""
    value = other[-1][1]
    return f'<span class="shadow" style="top:{box.y(value):.2f}%">shadow {grouped(value, digits)}</span>'


def _label_digits(steps: Sequence[float], digits: int) -> int:
    gap = steps[1] - steps[0] if len(steps) > 1 else 1.0
    return 0 if gap >= 1 and all(abs(step - round(step)) < 1e-9 for step in steps) else max(digits, 1)


def _drawdown(samples: Sequence[Sample], capital: float) -> str:
    fallen = drawdowns(samples, capital)
    lowest = min(value for _, value in fallen)
    box = Box(samples[0][0], samples[-1][0], min(lowest, -0.001), 0.0)
    line = box.path(thinned(fallen, COLUMNS))
    zero = box.y(0)
    drawing = f'<path class="area" d="{line}L{_WIDTH:.0f},{zero:.2f}L0,{zero:.2f}Z"/><path class="line" d="{line}"/>'
    steps = round_steps(min(lowest, -0.001), 0.0, 2)
    labels = [(value, percentage(value, 0 if lowest < -0.03 else 2)) for value in steps]
    return _panel("drawdown", "Drawdown", box, drawing, labels, "")


def _panel(kind: str, title: str, box: Box, drawing: str, labels: Sequence[tuple[float, str]], extra: str) -> str:
    rules = "".join(
        f'<line class="rule" x1="0" x2="{_WIDTH:.0f}" y1="{box.y(value):.2f}" y2="{box.y(value):.2f}"/>'
        for value, _ in labels
    )
    marks = "".join(f'<span class="y" style="top:{box.y(value):.2f}%">{label}</span>' for value, label in labels)
    return (
        f'<div class="panel {kind}"><h3>{text(title)}</h3>'
        f'<div class="plot"><svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(title)}">{rules}{drawing}</svg>{marks}{extra}</div></div>'
    )


def _time_axis(samples: Sequence[Sample]) -> str:
    box = Box(samples[0][0], samples[-1][0], 0, 1)
    steps = time_steps(box.start, box.end)
    marks = (f'<span class="x" style="left:{box.left(at)}">{text(label)}</span>' for at, label in steps)
    return f'<div class="axis{" crowded" if len(steps) > 5 else ""}">{"".join(marks)}</div>'
