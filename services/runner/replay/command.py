"""The command `replay`: sessions decided again, and the first difference of each."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.runner.replay.difference import Difference
from services.runner.replay.session import Replay
from services.runner.replay.sources import FileSource, StreamSource, in_stream
from services.runner.replay.telling import tell
from shared.runtime.bus import Bus
from shared.runtime.collector import spare_the_collector
from shared.runtime.errors import LeitstandError, SettingsError
from shared.runtime.settings import load_settings


@dataclass(frozen=True, slots=True)
class Choice:
    """Which sessions: `session` is an id or its beginning, empty for the newest; `every` takes all that match.

    `file` is an `events.jsonl` to read in place of the stream.
    """

    session: str = ""
    every: bool = False
    file: Path | None = None


def run_replay(choice: Choice) -> int:
    """Replay what was chosen; answers 0 when every decision is the same, 1 when one is not."""
    spare_the_collector()
    try:
        return asyncio.run(_replay(choice))
    except LeitstandError as error:
        print(f"replay: {error}", file=sys.stderr)
        return error.exit_status


async def _replay(choice: Choice) -> int:
    if choice.file:
        return await _all_same([FileSource(choice.file)])
    bus = await Bus.connect(load_settings(), "runner")
    try:
        return await _all_same(_chosen(await in_stream(bus, choice.session), choice))
    finally:
        await bus.close()


def _chosen(found: Sequence[StreamSource], choice: Choice) -> Sequence[StreamSource]:
    if choice.every or not choice.session:
        return found if choice.every else found[-1:]
    if len(found) > 1:
        raise SettingsError(f"{len(found)} sessions begin with {choice.session}; give more of the id, or --all")
    return found


async def _all_same(sources: Sequence[StreamSource | FileSource]) -> int:
    differences = [await _one(source) for source in sources]
    return 1 if any(differences) else 0


async def _one(source: StreamSource | FileSource) -> Difference | None:
    replay = Replay(source.start, await source.words())
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading")
        number = 0
        async for stretch in source.events():
            if any(replay.take(event) for event in stretch):
                break
            number += len(stretch)
            progress.update(task, description=f"{stretch[-1].market_time:%Y-%m-%d %H:%M}, {number:,} events")
    difference = replay.finish()
    tell(Console(), source.start, replay.counts, difference)
    return difference
