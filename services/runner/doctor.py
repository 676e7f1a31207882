"""The command `doctor`: everything that can be checked before a session, told line by line."""

import asyncio
import sys
from collections.abc import Callable

from services.runner.core.plan import PlanError, plan
from services.runner.course import opening
from services.runner.feeds.port import FeedError
from services.runner.live.opening import LiveMarket
from services.runner.setting_up import Options, configured, with_feed
from services.runner.shadow import shadow_plan
from services.runner.strategies.port import StrategyError
from shared.runtime.bus import Bus
from shared.runtime.errors import LeitstandError
from shared.runtime.settings import Settings, load_settings
from shared.schemas.session import SessionConfig
from shared.schemas.subjects import EVENTS
from shared.schemas.values import STACK

Check = Callable[[], str]


def examine(options: Options) -> int:
    """Check settings, session, feed, strategies and bus; answers 0 when all are well, else 1."""
    checks: tuple[tuple[str, Check], ...] = (
        ("settings", lambda: f"mode {load_settings().mode}"),
        ("session and feed", lambda: _session(options)),
        ("bus", lambda: asyncio.run(_bus(load_settings()))),
    )
    failed = sum(not _told(name, check) for name, check in checks)
    return 1 if failed else 0


def _told(name: str, check: Check) -> bool:
    try:
        print(f"  ok    {name}: {check()}")
    except (LeitstandError, FeedError, StrategyError, PlanError) as error:
        print(f"  FAIL  {name}: {error}", file=sys.stderr)
        return False
    return True


def _session(options: Options) -> str:
    config = configured(options)
    if config.is_live and not options.candles:
        return asyncio.run(_market(config, load_settings()))
    config, feed = with_feed(config, options.candles)
    prepared = plan(STACK, config)
    shadow_plan(STACK, config)
    start, _ = opening(config, feed.slices())
    repairs = "".join(f"\n          {mend.source}: {mend.rule} ({mend.count})" for mend in feed.description.repairs)
    sleeves = ", ".join(f"{sleeve.label} {sleeve.allocation:.0%}" for sleeve in prepared.sleeves)
    return f"{config.name}: {', '.join(config.symbols)} from {start:%Y-%m-%d %H:%M}; {sleeves}{repairs}"


async def _market(config: SessionConfig, settings: Settings) -> str:
    """The venue's rules and history can be had, and in a mode that trades, the account can be read."""
    prepared = plan(STACK, config)
    async with LiveMarket(config, settings) as market:
        opened = await market.opened()
    held = ", ".join(f"{qty:f} of {symbol}" for symbol, qty in opened.before.items())
    account = f"; the account holds {held}, which the session leaves alone" if opened.account else ""
    sleeves = ", ".join(f"{sleeve.label} {sleeve.allocation:.0%}" for sleeve in prepared.sleeves)
    return f"{config.name}: {', '.join(config.symbols)} at {opened.market.name}; {sleeves}{account}"


async def _bus(settings: Settings) -> str:
    bus = await Bus.connect(settings, "runner")
    try:
        await bus.ensure_streams()
        return f"{await bus.last_sequence(EVENTS)} events stored"
    finally:
        await bus.close()
