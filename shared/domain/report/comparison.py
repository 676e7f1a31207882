"""The session beside its shadow, figure by figure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.domain.report.markup import grouped, percentage, text, tone


def comparison(document: Mapping[str, Any], digits: int) -> str:
    """The section that holds both; empty for a session without a shadow."""
    shadow = document.get("shadow")
    if shadow is None:
        return ""
    capital, quote = document["initial_capital"], document["quote"]
    rows = (
        ("Strategies", *(text(", ".join(side["strategies"])) for side in (document, shadow))),
        (f"Equity, {text(quote)}", *(grouped(side["current_equity"], digits) for side in (document, shadow))),
        (f"Result, {text(quote)}", *(_result(side["current_equity"] - capital, digits) for side in (document, shadow))),
        ("Return", *(percentage(side["roi"] / 100, signed=True) for side in (document, shadow))),
        ("Max drawdown", *(percentage(side["max_drawdown"] / 100) for side in (document, shadow))),
        ("Trades", *(_trades(side["totals"]) for side in (document, shadow))),
        (f"Fees, {text(quote)}", *(grouped(side["fees"], digits) for side in (document, shadow))),
    )
    body = "".join(
        f"<tr><td>{name}</td><td class=n>{own}</td><td class=n>{other}</td></tr>" for name, own, other in rows
    )
    return (
        '<section class="card"><h2>Session and shadow</h2><table class="list"><thead><tr><th></th>'
        f"<th class=n>Session</th><th class=n>Shadow</th></tr></thead><tbody>{body}</tbody></table>"
        '<p class="caption">The shadow decided on the same bars without orders; its account is hypothetical.</p>'
        "</section>"
    )


def _result(gained: Decimal, digits: int) -> str:
    return f'<span class="{tone(gained)}">{grouped(gained, digits, True)}</span>'


def _trades(totals: Mapping[str, int]) -> str:
    return f"{totals['trades']:,}, {totals['wins']:,} won, {totals['losses']:,} lost"
