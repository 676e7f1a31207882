"""`python -m tests.trials.at_speed CLOCK SERVICE ARGUMENTS…`: a service of the stack on a trial's clock.

Everything else is as it always is, but for the pauses between attempts, which are shorter as the trial is faster.
"""

import importlib
import sys
from pathlib import Path

from services.runner.live import calling, dealing, slices
from services.runner.preflight import asking
from services.runner.preflight.market import Sight
from shared.runtime import clock
from shared.venues.binance.account import BinanceAccount
from shared.venues.live import Market
from tests.trials.market_clock import MarketClock

_wall = clock.now


async def _look_at_clock(market: Market) -> Sight:
    """The venue's clock is the one on the wall, for its signatures go by that."""
    asked = _wall()
    return Sight(asked, await market.server_time(), _wall())


def main() -> None:
    """Set the clock, shorten the pauses, run the service."""
    path, service, *arguments = sys.argv[1:]
    clock.now = MarketClock(Path(path)).now
    asking.look_at_clock = _look_at_clock
    calling.FIRST_PAUSE, calling.LONGEST_PAUSE, dealing.CHECK_SECONDS = 0.02, 0.5, 2.0
    slices.MUTE_SECONDS, slices._PAUSE_SECONDS = 2.0, 0.05
    BinanceAccount.proof_seconds = 0.6
    sys.argv = [service, *arguments]
    importlib.import_module(f"services.{service}.__main__").main()


if __name__ == "__main__":
    main()
