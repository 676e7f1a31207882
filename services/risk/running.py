"""The guard's process, from recovery to the signal to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from services.risk.backstop import Backstop
from services.risk.core.commands import SecondFactor
from services.risk.desk.server import Desk
from services.risk.heartbeats import beat
from services.risk.looking import look
from services.risk.recovery import History, recall, recall_since
from services.risk.seal import own_key, seal_with
from services.risk.second_factor import second_factor
from services.risk.service import GuardService
from services.risk.watch import Watch
from shared.domain.approval import Sign
from shared.runtime.bus import Bus
from shared.runtime.service import Context
from shared.runtime.settings import Settings
from shared.runtime.snapshots import Keeper, Snapshots

_STATE = ("services.risk.core", "shared.domain", "shared.schemas")
_CODE = ("services.risk", "shared.domain", "shared.schemas")


async def guard(context: Context) -> int:
    """Stand guard until `context.stopping` is set; answers the exit status."""
    recovered = asyncio.Event()
    context.health.require("recovery", lambda: None if recovered.is_set() else "still reading what is stored")
    context.ready()
    key, factor = key_of(context.settings), factor_of(context.settings)
    watch, snapshots = (
        Watch(context.bus, has_second_factor=factor is not None),
        snapshots_of(context.bus, context.settings),
    )
    await watch.take()
    history = await recalled(context.bus, snapshots)
    service = GuardService(context.bus, watch, seal_with(*key, watch.epoch), factor, history)
    await service.recover(context.settings.kill_switch)
    recovered.set()
    keeper = Keeper(snapshots, history.first_event - 1)
    loops = (
        service.follow_commands(),
        service.follow_events(keeper),
        watch.voice.keep(),
        beat(watch, service),
        look(service),
        Backstop(service, context.settings).keep(),
    )
    desk = Desk(context.settings, lambda: service.stack)
    desk.open()
    try:
        await _until(context.stopping, loops, lambda: _keep_last(keeper, service))
    finally:
        await desk.close()
    return 0


def snapshots_of(bus: Bus, settings: Settings) -> Snapshots:
    """Where the guard keeps what it knows."""
    return Snapshots(settings.data_dir / "snapshots" / "risk" / "guard.snapshot", bus, _STATE, _CODE)


async def recalled(bus: Bus, snapshots: Snapshots) -> History:
    """What is stored: all of it, or what came after the last snapshot."""
    found = await snapshots.load()
    return await recall(bus) if found is None else await recall_since(bus, found.state)


async def _keep_last(keeper: Keeper, service: GuardService) -> None:
    await keeper.finish(await service.snapshot())


def key_of(settings: Settings) -> tuple[str, Sign]:
    """The guard's public key and how it signs, with its key files where the settings say."""
    keys = settings.data_dir / "keys"
    seed: Path = settings.risk_signing_seed_file or keys / "risk.seed"
    return own_key(seed, settings.risk_public_key_file or keys / "risk.pub")


def factor_of(settings: Settings) -> SecondFactor | None:
    """The check of one-time codes, None where no TOTP_SECRET is set."""
    return second_factor(settings.totp_secret.get_secret_value()) if settings.totp_secret else None


async def _until(
    stopping: asyncio.Event, loops: Sequence[Coroutine[Any, Any, None]], before_the_end: Callable[[], Awaitable[None]]
) -> None:
    tasks = [asyncio.ensure_future(work) for work in (stopping.wait(), *loops)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await before_the_end()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
