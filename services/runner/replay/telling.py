"""How a replay's outcome is told in a terminal."""

from collections import Counter

from rich.console import Console, Group
from rich.table import Column, Table
from rich.text import Text

from services.runner.replay.difference import Difference
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart

_COUNTED = (
    ("candle_closed", "candles"),
    ("signal_raised", "signals"),
    ("order_intended", "intents"),
    ("order_approved", "approvals"),
    ("order_refused", "refusals"),
    ("order_filled", "fills"),
)


def tell(console: Console, start: RunnerStart, counts: Counter[str], difference: Difference | None) -> None:
    """Print what was decided again, and the first difference if there is one."""
    told = ", ".join(f"{counts[kind]:,} {name}" for kind, name in _COUNTED)
    console.print(f"Session {start.session_id} ({start.details.config.name}): {counts.total():,} events, {told}")
    if difference is None:
        console.print(Text("✔ every signal, intent and risk decision is the same", style="bold blue"))
    else:
        console.print(_difference(difference))


def _difference(difference: Difference) -> Group:
    event = difference.recorded or difference.decided
    where = f" at {event.market_time:%Y-%m-%d %H:%M:%S}" if event else ""
    heading = Text(f"✖ the first difference{where}, after {difference.cause}", style="bold dark_orange")
    table = Table("", Column("recorded", overflow="fold"), Column("decided now", overflow="fold"))
    table.add_row("fact", _name(difference.recorded), _name(difference.decided))
    for name, recorded, decided in difference.fields():
        table.add_row(name, _shown(recorded), _shown(decided))
    if None in (difference.recorded, difference.decided) and event is not None:
        table.add_row("message", *("" if side is None else _shown(side.message) for side in difference[1:]))
    return Group(heading, table)


def _name(event: Event | None) -> str:
    return "nothing" if event is None else f"{event.service}: {event.type}\n{event.id}"


def _shown(value: object) -> str:
    return "–" if value is None else str(value)
