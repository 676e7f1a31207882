"""The command `doctor`: everything that can be checked before a session, told line by line."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from services.runner.core.plan import PlanError, plan
from services.runner.course import opening
from services.runner.feeds.port import FeedError
from services.runner.live.opening import LiveMarket
from services.runner.live.testnet_record import promoted
from services.runner.preflight import session as of_session
from services.runner.preflight import stack as of_stack
from services.runner.preflight.finding import Finding, failed, failures, passed
from services.runner.preflight.risk import risk
from services.runner.preflight.table import table
from services.runner.sessions import under_way, unfinished
from services.runner.setting_up import Options, configured, paper_obstacle, with_feed
from services.runner.shadow import shadow_plan
from services.runner.strategies.port import StrategyError
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.errors import LeitstandError
from shared.runtime.keys import verifier
from shared.runtime.log import configure_log
from shared.runtime.settings import Settings, load_settings
from shared.schemas.session import SessionConfig
from shared.schemas.subjects import EVENTS, event_subject
from shared.schemas.values import STACK

PATIENCE_SECONDS = 5.0
"""A service waits longer for the bus; somebody who asks wants to know now."""


def examine(options: Options) -> int:
    """Check settings, session, venue, account, risk limits and stack; answers 0 when nothing has failed, else 1."""
    found = asyncio.run(_found(options))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(table(found, colour=sys.stdout.isatty(), width=width))
    return 1 if failures(found) else 0


async def _found(options: Options) -> Sequence[Finding]:
    try:
        settings = load_settings()
    except LeitstandError as error:
        return (failed("settings", str(error), "correct what is named; nothing else was checked"),)
    configure_log(settings, "runner")
    async with _connected(settings) as bus:
        lean = await _bus(bus) if isinstance(bus, Bus) else (bus,)
        told = await _session(options, settings, bus if isinstance(bus, Bus) else None)
    return (passed("settings", f"mode {settings.mode}"), *told, of_stack.room(settings.data_dir), _key(settings), *lean)


async def _session(options: Options, settings: Settings, bus: Bus | None) -> Sequence[Finding]:
    try:
        config = configured(options)
        if not config.is_live or options.candles:
            return _stored(config, options, settings)
        left = await unfinished(bus, config.name) if bus else None
        since = f"; under way since {left.timestamp:%Y-%m-%d %H:%M}" if left else ""
        async with LiveMarket(config, settings) as market:
            promotion = await promoted(bus, config, settings) if bus else ()
            return (_described(config, since), *await market.examined(begins=left is None), *promotion)
    except (LeitstandError, FeedError, StrategyError, PlanError) as error:
        return (failed("session", str(error), f"correct {options.session}"),)


def _stored(config: SessionConfig, options: Options, settings: Settings) -> Sequence[Finding]:
    config, feed = with_feed(config, options.candles)
    prepared = plan(STACK, config)
    shadow_plan(STACK, config)
    start, _ = opening(config, feed.slices())
    repairs = "".join(f"; {mend.source}: {mend.rule} ({mend.count})" for mend in feed.description.repairs)
    begins = f" from {start:%Y-%m-%d %H:%M}{repairs}"
    mode = of_session.mode(settings.mode, config.venue, paper_obstacle(config, settings.mode))
    return (_described(config, begins), mode, *risk(prepared, settings.mode), of_session.warmup(prepared))


def _described(config: SessionConfig, more: str) -> Finding:
    sleeves = ", ".join(f"{sleeve.label} {sleeve.allocation:.0%}" for sleeve in plan(STACK, config).sleeves)
    return passed("session", f"{config.name}: {', '.join(config.symbols)}, {config.timeframe}; {sleeves}{more}")


def _key(settings: Settings) -> Finding:
    def read() -> None:
        path: Path = settings.risk_public_key_file or settings.data_dir / "keys" / "risk.pub"
        verifier(settings.risk_public_key or path.read_text(encoding="ascii"))

    return of_stack.guards_key(read)


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Bus | Finding]:
    """The bus, or what keeps us from it."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            bus = await Bus.connect(settings, "runner")
    except (LeitstandError, TimeoutError) as error:
        told = str(error) or f"no connection to NATS within {PATIENCE_SECONDS:.0f} s"
        yield failed("bus", told, "start the NATS server, or correct NATS_URL")
        return
    try:
        yield bus
    finally:
        await bus.close()


async def _bus(bus: Bus) -> Sequence[Finding]:
    try:
        await bus.ensure_streams()
        stored = await bus.last_sequence(EVENTS)
        guard = of_stack.guard(await _heard(bus), clock.now(), sessions=await under_way(bus))
    except LeitstandError as error:
        return (failed("bus", str(error), "see the NATS server's log"),)
    return (passed("bus", f"{stored:,} events stored"), guard)


async def _heard(bus: Bus) -> datetime | None:
    """When the guard last told, by the server's clock, that it is alive."""
    found = await bus.latest(EVENTS, [event_subject(STACK, "risk", "heartbeat")])
    return found[-1].stored_at if found else None
