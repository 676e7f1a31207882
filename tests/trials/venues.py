"""The venues that a trial can be held at."""

from collections.abc import Mapping

from tests.trials import alpaca, binance
from tests.trials.venue_trial import VenueTrial

TRIALS: Mapping[str, type[VenueTrial]] = {"binance": binance.Trial, "alpaca": alpaca.Trial}
