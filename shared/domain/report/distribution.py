"""How the results of trades are distributed: a histogram of returns, losses left of zero and wins right of it."""

from collections.abc import Sequence
from math import ceil, floor, log10

from shared.domain.portfolio import RoundTrip
from shared.domain.report.markup import percentage, text

MOST_BINS = 24


def bins(returns: Sequence[float]) -> tuple[float, dict[int, int]]:
    """The width of a bin and how many returns fall into each; bin 0 begins at zero, bin -1 ends there.

    A return on an edge belongs to the bin nearer to zero on the losing side: zero gained is no win.
    """
    widest = max((abs(value) for value in returns), default=0.0) or 0.01
    rough = 2 * widest / MOST_BINS
    power = 10.0 ** floor(log10(rough))
    width = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    counts: dict[int, int] = {}
    for value in returns:
        place = ceil(value / width - 1e-9) - 1
        counts[place] = counts.get(place, 0) + 1
    return width, counts


def histogram(trades: Sequence[RoundTrip]) -> str:
    """The distribution as HTML; a sentence when there are no trades."""
    if not trades:
        return '<p class="empty">No round trip was completed.</p>'
    width, counts = bins([float(trip.return_ratio) for trip in trades])
    first, last = min(*counts, -1), max(*counts, 0)
    highest = max(counts.values())
    bars = "".join(_bar(place, width, counts.get(place, 0), highest) for place in range(first, last + 1))
    zero = -first / (last - first + 1) * 100
    digits = 1 if width >= 0.001 else 3
    return (
        f'<div class="bars" role="img" aria-label="Histogram of returns">{bars}'
        f'<i class="zero" style="left:{zero:.2f}%"></i></div>'
        f'<div class="axis bar-axis"><span>{percentage(first * width, digits)}</span>'
        f'<span class="x" style="left:{zero:.2f}%">0</span><span>{percentage((last + 1) * width, digits)}</span></div>'
        f'<p class="caption">Return of each trade after fees, over what was paid; the highest bar is {highest:,} '
        f'{"trade" if highest == 1 else "trades"}. <span class="key loss">lost</span> '
        '<span class="key gain">won</span></p>'
    )


def _bar(place: int, width: float, count: int, highest: int) -> str:
    digits = 1 if width >= 0.001 else 3
    reach = f"{percentage(place * width, digits)} to {percentage((place + 1) * width, digits)}: {count:,}"
    kind = "gain" if place >= 0 else "loss"
    return f'<i class="{kind}" style="height:{count / highest * 100:.2f}%" title="{text(reach)}"></i>'
