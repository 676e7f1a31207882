"""When money was made and lost: results by weekday and hour of closing, UTC."""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal

from shared.domain.portfolio import RoundTrip
from shared.domain.report.markup import grouped, text

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Cell = tuple[Decimal, int]
"""What the trades of an hour brought, and how many there were."""


def cells(trades: Sequence[RoundTrip]) -> dict[tuple[int, int], Cell]:
    """The result and the number of trades by (weekday, hour); Monday is 0."""
    found: dict[tuple[int, int], Cell] = {}
    for trip in trades:
        closed = trip.closed_at.astimezone(UTC)
        pnl, count = found.get((closed.weekday(), closed.hour), (Decimal(0), 0))
        found[closed.weekday(), closed.hour] = (pnl + trip.pnl, count + 1)
    return found


def heatmap(trades: Sequence[RoundTrip], quote: str, digits: int) -> str:
    """The results as an HTML table; a sentence when there are no trades."""
    if not trades:
        return '<p class="empty">No round trip was completed.</p>'
    found = cells(trades)
    strongest = max(abs(pnl) for pnl, _ in found.values()) or Decimal(1)

    def cell(day: int, hour: int) -> str:
        return _cell(found.get((day, hour)), f"{WEEKDAYS[day]} {hour:02d}:00", strongest, quote, digits)

    head = "".join(f'<th scope="col">{hour if hour % 3 == 0 else ""}</th>' for hour in range(24))
    rows = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(cell(day, hour) for hour in range(24))}</tr>'
        for day, name in enumerate(WEEKDAYS)
    )
    return (
        f'<div class="scroll"><table class="heat"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'</div><p class="caption">Sum of results by hour of closing, UTC. '
        f'<span class="key loss">{grouped(-strongest, digits)}</span> '
        f'<span class="key gain">{grouped(strongest, digits, True)} {text(quote)}</span></p>'
    )


def _cell(cell: Cell | None, place: str, strongest: Decimal, quote: str, digits: int) -> str:
    if cell is None:
        return "<td></td>"
    pnl, count = cell
    told = f"{place}: {grouped(pnl, digits, True)} {quote} in {count:,} {'trade' if count == 1 else 'trades'}"
    strength = 0.15 + 0.85 * float(abs(pnl) / strongest)
    kind = "gain" if pnl > 0 else "loss"
    return f'<td class="{kind}" style="--strength:{strength:.3f}" title="{text(told)}"></td>'
