"""The command `backtest`: progress while it runs, a summary at the end, and the same files as a session leaves."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from services.runner.backtest import Progress
from services.runner.core.plan import Plan, PlanError, plan
from services.runner.feeds.port import Feed, FeedError
from services.runner.setting_up import EventsKept, Options, configured, with_feed
from services.runner.shadow import backtest_beside
from services.runner.skimming.skim import skim
from services.runner.skimming.tally import Tally
from services.runner.strategies.port import StrategyError
from shared.domain.exact_json import spelled
from shared.domain.report import Material, gather, render
from shared.domain.trade_rows import HEADER, row
from shared.runtime.errors import LeitstandError, SettingsError
from shared.runtime.settings import load_settings
from shared.schemas.codec import decode_line, encode
from shared.schemas.envelope import Event
from shared.schemas.session import SessionConfig
from shared.schemas.values import STACK

STRIDE = 500
"""So many slices pass between two looks of the progress bar."""
REFRESHES = 4
"""So often a second the progress bar is drawn."""


def run_backtest(options: Options) -> int:
    """Run the backtest that `options` name; answers the exit status."""
    try:
        folder, material = _backtested(options, load_settings().data_dir)
    except LeitstandError as error:
        print(f"backtest: {error}", file=sys.stderr)
        return error.exit_status
    _write(folder, material)
    _print_summary(material.document, folder)
    return 0


def _backtested(options: Options, data_dir: Path) -> tuple[Path, Material]:
    try:
        config, feed = with_feed(configured(options), options.candles)
        prepared = plan(_identity(config), config)
        folder = data_dir / "backtests" / f"{config.name}-{prepared.session_id[:8]}"
        return folder, _trade(prepared, feed, folder, options.events)
    except (FeedError, StrategyError, PlanError) as error:
        raise SettingsError(str(error)) from None


def _identity(config: SessionConfig) -> str:
    """The same session over the same candles has the same name, and so the same facts."""
    return str(uuid5(UUID(STACK), config.digest()))


def _trade(prepared: Plan, feed: Feed, folder: Path, kept: EventsKept) -> Material:
    if feed.description.slices is None and prepared.config.schedule.max_duration is None:
        raise SettingsError("the feed has no end; set feed.bars or schedule.max_duration, or give DURATION or CANDLES")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "events.jsonl"
    path.unlink(missing_ok=True)
    if kept == "none":
        return _skimmed(prepared, feed, None)
    with path.open("wb") as lines:

        def write(event: Event) -> None:
            lines.write(encode(event) + b"\n")

        if kept == "trades":
            return _skimmed(prepared, feed, write)
        with _progress(prepared, feed) as advance:
            backtest_beside(prepared, feed, write, advance)
    with path.open("rb") as written:
        return gather(decode_line(line) for line in written)


def _skimmed(prepared: Plan, feed: Feed, write: Callable[[Event], None] | None) -> Material:
    tally = Tally(write)
    with _progress(prepared, feed) as advance:
        state = skim(prepared, feed, tally, advance)
    return tally.material(state.portfolio)


@contextmanager
def _progress(prepared: Plan, feed: Feed) -> Iterator[Progress | None]:
    """A progress bar, on a terminal only; slices are counted in strides, for a bar must not slow what it shows."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=REFRESHES) as progress:
        task = progress.add_task(prepared.config.name, total=feed.description.slices)
        seen = shown = 0

        def advance(count: int, at: datetime) -> None:
            nonlocal seen, shown
            seen += count
            if seen - shown >= STRIDE:
                shown = seen
                progress.update(task, completed=seen, description=f"{prepared.config.name} {at:%Y-%m-%d %H:%M}")

        yield advance
        progress.update(task, completed=seen, total=seen)


def _write(folder: Path, material: Material) -> None:
    (folder / "summary.json").write_text(spelled(material.document) + "\n", encoding="utf-8")
    (folder / "trades.csv").write_bytes(HEADER + b"".join(map(row, material.trades)))
    page = render(material.document, material.trades, material.equity, material.notes, material.shadow)
    (folder / "report.html").write_text(page, encoding="utf-8")


def _shadow_rows(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The shadow's figures beside the session's; none without a shadow."""
    if (shadow := document.get("shadow")) is None:
        return ()
    return (
        ("shadow", ", ".join(shadow["strategies"])),
        ("shadow equity", f"{shadow['current_equity']:,.2f} {document['quote']}"),
        ("shadow return", f"{shadow['roi']:+.2f} %"),
        ("shadow drawdown", f"{shadow['max_drawdown']:.2f} %"),
    )


def _print_summary(document: dict[str, Any] | Any, folder: Path) -> None:
    quote, totals = document["quote"], document["totals"]
    rows = (
        ("equity", f"{document['current_equity']:,.2f} {quote}"),
        ("return", f"{document['roi']:+.2f} %"),
        ("max drawdown", f"{document['max_drawdown']:.2f} %"),
        ("trades", f"{totals['trades']} ({totals['wins']} won, {totals['losses']} lost)"),
        ("fees", f"{document['fees']:,.2f} {quote}"),
        ("status", document["status"]),
        *_shadow_rows(document),
    )
    print(f"\n{document['name']}, {', '.join(document['symbols'])}: {', '.join(document['strategies'])}")
    for name, value in rows:
        print(f"  {name:<16}{value:>28}")
    for file in ("report.html", "summary.json", "trades.csv", "events.jsonl"):
        if (folder / file).exists():
            print(f"  {folder / file}")
