"""The guard's process, from recovery to the signal to stop."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from services.risk.core.commands import SecondFactor
from services.risk.core.verdicts import Seal
from services.risk.heartbeats import beat
from services.risk.recovery import recall
from services.risk.seal import own_seal
from services.risk.second_factor import second_factor
from services.risk.service import GuardService
from services.risk.voice import Voice
from shared.runtime.service import Context
from shared.runtime.settings import Settings


async def guard(context: Context) -> int:
    """Stand guard until `context.stopping` is set; answers the exit status."""
    recovered = asyncio.Event()
    context.health.require("recovery", lambda: None if recovered.is_set() else "still reading what is stored")
    seal, factor = seal_of(context.settings), factor_of(context.settings)
    voice = Voice(context.bus)
    await voice.take_watch()
    service = GuardService(context.bus, voice, seal, factor, await recall(context.bus))
    await service.recover(context.settings.kill_switch)
    recovered.set()
    loops = (service.follow_commands(), service.follow_events(), beat(voice, service))
    await _until(context.stopping, loops)
    return 0


def seal_of(settings: Settings) -> Seal:
    """The guard's seal, with its key files where the settings say."""
    keys = settings.data_dir / "keys"
    seed: Path = settings.risk_signing_seed_file or keys / "risk.seed"
    return own_seal(seed, settings.risk_public_key_file or keys / "risk.pub")


def factor_of(settings: Settings) -> SecondFactor | None:
    """The check of one-time codes, None where no TOTP_SECRET is set."""
    return second_factor(settings.totp_secret.get_secret_value()) if settings.totp_secret else None


async def _until(stopping: asyncio.Event, loops: tuple[Coroutine[Any, Any, None], ...]) -> None:
    tasks = [asyncio.ensure_future(work) for work in (stopping.wait(), *loops)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
