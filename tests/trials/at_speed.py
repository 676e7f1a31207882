"""`python -m tests.trials.at_speed CLOCK SERVICE ARGUMENTS…`: a service of the stack on a trial's clock.

Everything else is as it always is, but for the pauses between attempts, which are shorter as the trial is faster.
"""

import importlib
import sys
from pathlib import Path

from services.runner.live import calling, dealing, slices
from shared.runtime import clock
from shared.venues.binance.account import BinanceAccount
from tests.trials.market_clock import MarketClock


def main() -> None:
    """Set the clock, shorten the pauses, run the service."""
    path, service, *arguments = sys.argv[1:]
    clock.now = MarketClock(Path(path)).now
    calling.FIRST_PAUSE, calling.LONGEST_PAUSE, dealing.CHECK_SECONDS = 0.02, 0.5, 2.0
    slices.MUTE_SECONDS, slices._PAUSE_SECONDS = 2.0, 0.05
    BinanceAccount.proof_seconds = 0.6
    sys.argv = [service, *arguments]
    importlib.import_module(f"services.{service}.__main__").main()


if __name__ == "__main__":
    main()
