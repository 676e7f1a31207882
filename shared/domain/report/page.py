"""The page itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.portfolio import RoundTrip
from shared.domain.report.comparison import comparison
from shared.domain.report.curves import chart
from shared.domain.report.distribution import histogram
from shared.domain.report.figures import cards, headline
from shared.domain.report.heatmap import heatmap
from shared.domain.report.markup import length, money_digits, text
from shared.domain.report.material import Notes
from shared.domain.report.style import STYLE
from shared.domain.report.tables import notes_section, trades_table

_MODES = {"dry_run": "dry run", "testnet": "testnet", "live": "live"}


def render(
    document: Mapping[str, Any],
    trades: Sequence[RoundTrip],
    equity: Sequence[tuple[datetime, Decimal]],
    notes: Notes | None = None,
    shadow: Sequence[tuple[datetime, Decimal]] = (),
) -> str:
    """One self-contained HTML page about a session.

    `document` has the fields of `summary.json` with money as Decimal, `equity` a point a bar by market time,
    `shadow` those of its shadow, if it has one.
    The same data give the same page, byte for byte.
    """
    quote, digits = document["quote"], money_digits(document["initial_capital"])
    body = (
        _header(document),
        cards(headline(document, trades)),
        _section("Equity and drawdown", chart(equity, document["initial_capital"], quote, digits, shadow)),
        comparison(document, digits),
        '<div class="pair">',
        _section("Wins and losses", histogram(trades)),
        _section("Weekday and hour", heatmap(trades, quote, digits)),
        "</div>",
        _section("Trades", trades_table(trades, quote, digits)),
        notes_section(notes or Notes()),
        _footer(document),
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(document["name"])} \u00b7 Leitstand'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<style>{STYLE}</style></head><body><main>\n{chr(10).join(body)}\n</main></body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f'<section class="card"><h2>{text(title)}</h2>{content}</section>'


def _header(document: Mapping[str, Any]) -> str:
    traded = ", ".join(document["symbols"])
    strategies = ", ".join(document["strategies"])
    status = document["status"]
    return (
        f'<header><p class="brand">Leitstand session report</p><h1>{text(document["name"])} '
        f'<span class="status {text(status)}">{text(status)}</span></h1>'
        f"<p>{text(strategies)} on {text(traded)}, {text(_MODES.get(document['mode'], document['mode']))}</p></header>"
    )


def _footer(document: Mapping[str, Any]) -> str:
    ran = length(timedelta(seconds=float(document["runtime_secs"])))
    phases = f"{document['phases_completed']} of {document['phases_total']} phases completed"
    return (
        f"<footer>Session {text(document['session_id'])}, started {text(document['session_start'])}, ran {ran}; "
        f"{phases}. Last fact at {text(document['last_updated'])}.</footer>"
    )
