"""The demo in the terminal: a live panel where there is one, plain lines otherwise.

Gains are blue with ▲, losses orange with ▼: colours that most colour-blind people tell apart, and never colour alone.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.embedded.view import View

GAIN, LOSS, QUIET, ALARM = "bold dodger_blue1", "bold dark_orange", "dim", "bold white on red3"
LIVE_SECONDS, PLAIN_SECONDS = 0.5, 1.0
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is shown: the session, a word on each service, and a line of advice."""

    view: View | None
    services: Mapping[str, str]
    advice: str | None = None


async def show(console: Console, scene: Callable[[], Scene]) -> None:
    """Keep showing `scene`, without end."""
    if console.is_terminal:
        await _show_live(console, scene)
    else:
        await _show_lines(console, scene)


async def _show_live(console: Console, scene: Callable[[], Scene]) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(panel(scene()), refresh=True)
            await asyncio.sleep(LIVE_SECONDS)


async def _show_lines(console: Console, scene: Callable[[], Scene]) -> None:
    last = None
    while True:
        now = line(scene())
        if now != last:
            console.print(now, highlight=False, markup=False, soft_wrap=True)
            console.file.flush()
        last = now
        await asyncio.sleep(PLAIN_SECONDS)


def line(scene: Scene) -> str:
    """The scene in one line of plain text."""
    view = scene.view
    if view is None or view.summary.portfolio is None:
        return f"starting: {', '.join(f'{name} {word}' for name, word in scene.services.items()) or 'servers'}"
    account = view.summary.portfolio
    parts = (
        f"market {market_clock(view.summary.market_time)}",
        f"equity {money(_equity(view))} {account.quote} ({signed(_pnl(view))})",
        f"trades {account.trades} ({account.wins} won)",
        f"open {len(account.positions)}",
        f"orders filled {view.orders.filled}, refused {view.orders.refused}",
        view.status,
        *(f"{name} {word}" for name, word in scene.services.items() if word != "ready"),
        *((scene.advice,) if scene.advice else ()),
    )
    return " | ".join(parts)


def panel(scene: Scene) -> Panel:
    """The scene as a panel."""
    view = scene.view
    if view is None or view.summary.portfolio is None:
        return Panel(Group(Text("starting …"), _services(scene.services)), title="Leitstand", width=90)
    title = f"Leitstand · {view.summary.name} · {view.summary.session_id}"
    return Panel(Group(*_rows(scene, view)), title=title, width=90)


def _rows(scene: Scene, view: View) -> Iterator[Text | Table]:
    yield _headline(view)
    if view.summary.portfolio and view.summary.portfolio.positions:
        yield _positions(view)
    if view.trips:
        yield _trades(view)
    orders = view.orders
    yield Text(
        f"orders: {orders.filled} filled, {orders.refused} refused by the guard, "
        f"{orders.rejected} rejected by the venue, {orders.cancelled} cancelled"
    )
    yield _services(scene.services)
    if scene.advice:
        yield Text(scene.advice, style=ALARM)


def _headline(view: View) -> Table:
    account = view.summary.portfolio
    assert account is not None
    table = Table.grid(padding=(0, 2))
    table.add_row("market time", market_clock(view.summary.market_time))
    table.add_row("status", Text(view.status, style=ALARM if view.halt else ""))
    table.add_row("equity", f"{money(_equity(view))} {account.quote}")
    table.add_row("profit and loss", _coloured(_pnl(view)))
    table.add_row("trades", f"{account.trades}, {account.wins} won, {account.losses} lost")
    return table


def _positions(view: View) -> Table:
    assert view.summary.portfolio is not None
    table = Table("position", "strategy", "quantity", "entry", box=None, padding=(0, 2, 0, 0), header_style=QUIET)
    for (strategy, symbol), position in sorted(view.summary.portfolio.positions.items()):
        table.add_row(symbol, strategy, f"{position.qty:f}", money(position.entry_price))
    return table


def _trades(view: View) -> Table:
    table = Table("last trades", "strategy", "closed", "result", box=None, padding=(0, 2, 0, 0), header_style=QUIET)
    for trip in reversed(view.trips):
        table.add_row(trip.symbol, trip.strategy, market_clock(trip.closed_at), _coloured(trip.pnl))
    return table


def _services(words: Mapping[str, str]) -> Text:
    text = Text("services: ")
    for name, word in words.items():
        mark, style = {"ready": ("✔", ""), "starting": ("…", "dim")}.get(word, ("✖", LOSS))
        text.append(f"{mark} {name} {word}  ", style=style)
    return text


def _coloured(amount: Decimal) -> Text:
    return Text(signed(amount), style=GAIN if amount > 0 else LOSS if amount < 0 else "")


def _equity(view: View) -> Decimal:
    if view.end is not None:
        return view.end.metrics.equity
    if view.mark is not None:
        return view.mark.equity
    assert view.summary.portfolio is not None
    return view.summary.portfolio.initial_capital


def _pnl(view: View) -> Decimal:
    assert view.summary.portfolio is not None
    return _equity(view) - view.summary.portfolio.initial_capital


def money(amount: Decimal) -> str:
    """The amount with thousands and two digits after the point."""
    return f"{amount.quantize(CENT):,f}"


def signed(amount: Decimal) -> str:
    """The amount with its sign and an arrow."""
    arrow = "▲" if amount > 0 else "▼" if amount < 0 else "■"
    return f"{arrow} {amount.quantize(CENT):+,f}"


def market_clock(instant: datetime | None) -> str:
    """The market's time to the minute."""
    return instant.strftime("%Y-%m-%d %H:%M") if instant else "not yet"
