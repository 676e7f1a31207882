"""The trades, the refusals and the stops as tables."""

from collections.abc import Mapping, Sequence

from shared.domain.portfolio import RoundTrip
from shared.domain.report.markup import grouped, length, minute, percentage, text, tone, trimmed
from shared.domain.report.material import Halted, Notes
from shared.domain.troubles import Troubles, as_document

SHOWN_AT_EACH_END = 200
_HEAD = (
    "<tr><th>#</th><th>Opened, UTC</th><th>Held</th><th>Symbol</th><th>Strategy</th><th class=n>Quantity</th>"
    "<th class=n>Entry</th><th class=n>Exit</th><th class=n>Fees</th><th class=n>Result</th>"
    "<th class=n>Return</th></tr>"
)


def trades_table(trades: Sequence[RoundTrip], quote: str, digits: int) -> str:
    """The first and the last trades; all, when there are few."""
    if not trades:
        return '<p class="empty">No round trip was completed. Positions that are still open are not trades.</p>'
    rows = [_trade(number, trip, digits) for number, trip in enumerate(trades, start=1)]
    hidden = len(rows) - 2 * SHOWN_AT_EACH_END
    if hidden > 0:
        gap = f'<tr><td class="gap" colspan="11">{hidden:,} more in trades.csv</td></tr>'
        rows = [*rows[:SHOWN_AT_EACH_END], gap, *rows[-SHOWN_AT_EACH_END:]]
    return (
        f'<div class="scroll tall" tabindex="0"><table class="list"><thead>{_HEAD}</thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        f'<p class="caption">Fees and results in {text(quote)}, results after fees.</p>'
    )


def _trade(number: int, trip: RoundTrip, digits: int) -> str:
    return (
        f"<tr><td>{number:,}</td><td>{minute(trip.opened_at)}</td><td>{length(trip.closed_at - trip.opened_at)}</td>"
        f"<td>{text(trip.symbol)}</td><td>{text(trip.strategy)}</td><td class=n>{trimmed(trip.qty)}</td>"
        f"<td class=n>{trimmed(trip.entry_price)}</td><td class=n>{trimmed(trip.exit_price)}</td>"
        f"<td class=n>{grouped(trip.fees, digits)}</td>"
        f'<td class="n {tone(trip.pnl)}">{grouped(trip.pnl, digits, True)}</td>'
        f'<td class="n {tone(trip.pnl)}">{percentage(trip.return_ratio, signed=True)}</td></tr>'
    )


def notes_section(notes: Notes) -> str:
    """Refusals by rule, stops, and repairs where there were any."""
    parts = [
        _counts("Refused orders", "Rule", notes.refusals, "The guard refused no order."),
        _halts(notes.halts),
    ]
    if notes.repairs:
        parts.append(_counts("Repaired input", "Rule", notes.repairs, ""))
    if notes.troubles:
        parts.append(_troubles(notes.troubles))
    if notes.errors:
        parts.append(f'<section class="card"><h2>Errors</h2><p>{notes.errors:,} told; see events.jsonl.</p></section>')
    return f'<div class="pair">{"".join(parts)}</div>'


def _troubles(troubles: Troubles) -> str:
    rows = "".join(
        f"<tr><td>{text(each['what'])}</td><td class=n>{each['count']:,}</td><td class=n>{each['mended']:,}</td></tr>"
        for each in as_document(troubles)
    )
    titles = "<thead><tr><th>What</th><th class=n>Count</th><th class=n>Mended</th></tr></thead>"
    return f'<section class="card"><h2>Troubles</h2><table class="list">{titles}<tbody>{rows}</tbody></table></section>'


def _counts(title: str, head: str, counts: Mapping[str, int], empty: str) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = "".join(f"<tr><td>{text(name)}</td><td class=n>{count:,}</td></tr>" for name, count in ordered)
    titles = f"<thead><tr><th>{head}</th><th class=n>Count</th></tr></thead>"
    table = f'<table class="list">{titles}<tbody>{rows}</tbody></table>'
    return f'<section class="card"><h2>{title}</h2>{table if rows else f"<p class=empty>{empty}</p>"}</section>'


def _halts(halts: Sequence[Halted]) -> str:
    rows = "".join(
        f'<tr><td class="nowrap">{minute(halt.at)}</td><td>{text(halt.kind)}</td><td>{text(halt.reason)}'
        f"{f' ({text(halt.operator)})' if halt.operator else ''}</td></tr>"
        for halt in halts[:SHOWN_AT_EACH_END]
    )
    head = "<thead><tr><th>Market time, UTC</th><th>Kind</th><th>Reason</th></tr></thead>"
    body = (
        f'<table class="list">{head}<tbody>{rows}</tbody></table>'
        if rows
        else "<p class=empty>Trading was never stopped.</p>"
    )
    return f'<section class="card"><h2>Stops</h2>{body}</section>'
