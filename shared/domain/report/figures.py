"""The headline figures of a session, computed from its summary and its trades."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from shared.domain.portfolio import RoundTrip
from shared.domain.report.markup import grouped, length, money_digits, percentage, text, tone

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, its unit or explanation, and whether it is good or bad."""

    label: str
    value: str
    note: str = ""
    tone: str = "even"


def profit_factor(trades: Sequence[RoundTrip]) -> Decimal | None:
    """What the winners brought over what the losers cost; None without losers."""
    won = sum((trip.pnl for trip in trades if trip.pnl > 0), ZERO)
    lost = -sum((trip.pnl for trip in trades if trip.pnl < 0), ZERO)
    return won / lost if lost else None


def mean_holding(trades: Sequence[RoundTrip]) -> timedelta:
    """How long a trade lasted on average, by the market's clock."""
    return sum((trip.closed_at - trip.opened_at for trip in trades), timedelta()) / max(len(trades), 1)


def headline(document: Mapping[str, Any], trades: Sequence[RoundTrip]) -> tuple[Figure, ...]:
    """The figures at the top of the page."""
    capital, equity, quote = document["initial_capital"], document["current_equity"], document["quote"]
    digits, gained = money_digits(capital), equity - capital
    return (
        Figure("Equity", f"{grouped(equity, digits)}", f"{quote}, from {grouped(capital, digits)}"),
        Figure("Return", _percents(document["roi"], True), f"{grouped(gained, digits, True)} {quote}", tone(gained)),
        Figure("Max drawdown", _percents(document["max_drawdown"]), "from the peak of equity"),
        *_trading(trades, quote, digits),
        Figure("Fees", grouped(document["fees"], digits), f"{quote}{_share_of(document['fees'], capital)}"),
    )


def _percents(percents: Decimal, signed: bool = False) -> str:
    return percentage(percents / 100, signed=signed)


def _share_of(fees: Decimal, capital: Decimal) -> str:
    return f", {percentage(fees / capital)} of the capital" if fees else ""


def _trading(trades: Sequence[RoundTrip], quote: str, digits: int) -> tuple[Figure, ...]:
    if not trades:
        return (Figure("Trades", "0", "no round trip was completed"),)
    wins = sum(trip.pnl > 0 for trip in trades)
    mean = sum((trip.pnl for trip in trades), ZERO) / len(trades)
    factor = profit_factor(trades)
    return (
        Figure("Trades", f"{len(trades):,}", f"round trips, {length(mean_holding(trades))} on average"),
        Figure("Win rate", percentage(wins / len(trades), 1), f"{wins:,} won, {len(trades) - wins:,} lost"),
        Figure("Profit factor", grouped(factor, 2) if factor is not None else "\u2013", _factor_note(factor)),
        Figure("Average trade", grouped(mean, digits, True), f"{quote} after fees", tone(mean)),
    )


def _factor_note(factor: Decimal | None) -> str:
    return "gains over losses" if factor is not None else "no trade lost"


def cards(figures: Sequence[Figure]) -> str:
    """The figures as HTML."""
    return '<dl class="figures">' + "".join(_card(figure) for figure in figures) + "</dl>"


def _card(figure: Figure) -> str:
    return (
        f'<div class="card"><dt>{text(figure.label)}</dt><dd class="{figure.tone}">{text(figure.value)}</dd>'
        f'<dd class="note">{text(figure.note)}</dd></div>'
    )
