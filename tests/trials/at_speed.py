"""`python -m tests.trials.at_speed CLOCK VENUE SERVICE ARGUMENTS…`: a service of the stack on a trial's clock.

Everything else is as it always is, but for the pauses between attempts, which are shorter as the trial is faster. With
AT_PACE in the environment they are not: then what is done every few minutes is done as seldom as it always is.
"""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from services.risk import heartbeats
from services.runner.live import calling, dealing, health, reconciling, silence, slices
from shared.runtime import clock, snapshots
from shared.venues import budget
from tests.trials.market_clock import MarketClock

Now = Callable[[], datetime]
PROOF_SECONDS = 0.6
AT_PACE = "AT_PACE"
GRACE = timedelta(seconds=0.05)
"""At night a stock's bar never comes, and each minute of a trial is waited for."""


def _binance(now: Now) -> None:
    from shared.venues.binance import client
    from shared.venues.binance.account import BinanceAccount

    async def same_clock(*_: object) -> int:
        """The test server goes by the trial's clock too, and a jump must not be taken for an offset."""
        return 0

    client.Client.milliseconds = staticmethod(lambda: int(now().timestamp() * 1000))
    client.RECV_WINDOW_MS, client.Client.load_time_difference = 60_000, same_clock
    if not _at_pace():
        BinanceAccount.proof_seconds = PROOF_SECONDS


def _alpaca(now: Now) -> None:
    from shared.venues.alpaca.account import AlpacaAccount
    from shared.venues.alpaca.calendar import Calendar

    async def same_clock(_: Calendar) -> datetime:
        return now()

    Calendar.now = same_clock  # type: ignore[method-assign, assignment]
    if not _at_pace():
        AlpacaAccount.proof_seconds = PROOF_SECONDS
        slices.GRACE = GRACE


VENUES: Mapping[str, Callable[[Now], None]] = {"binance": _binance, "alpaca": _alpaca}


def main() -> None:
    """Set the clock, shorten the pauses, run the service."""
    path, venue, service, *arguments = sys.argv[1:]
    clock.now = now = MarketClock(Path(path)).now
    if not _at_pace():
        _hurry()
    VENUES[venue](now)
    sys.argv = [service, *arguments]
    importlib.import_module(f"services.{service}.__main__").main()


def _at_pace() -> bool:
    return AT_PACE in os.environ


def _hurry() -> None:
    calling.FIRST_PAUSE, calling.LONGEST_PAUSE, dealing.CHECK_SECONDS = 0.02, 0.5, 2.0
    slices.MUTE_SECONDS, slices._PAUSE_SECONDS = 2.0, 0.05
    reconciling.EVERY_SECONDS, reconciling.AGAIN_SECONDS = 0.5, 0.1
    budget.WINDOW_SECONDS = 0.2
    snapshots.EVERY_EVENTS, snapshots.PAUSE_SECONDS = 200, 0.0
    heartbeats.EVERY_SECONDS = 0.5
    silence.SILENCE_SECONDS, health.EVERY_SECONDS, health.SECOND_LOOK_SECONDS = 2.0, 1.0, 0.1


if __name__ == "__main__":
    main()
