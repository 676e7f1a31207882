"""Which venues a session can follow, and that nobody pays for the client of one that they don't trade on."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from shared.schemas.session import MarketFeed
from shared.venues.connecting import CONNECTORS

ROOT = Path(__file__).parents[2]
CLIENTS = ("ccxt", "alpaca", "pandas", "numpy", "requests", "websockets")


def test_every_live_feed_has_its_venue() -> None:
    assert set(CONNECTORS) == set(get_args(MarketFeed.model_fields["kind"].annotation))


@pytest.mark.parametrize("service", ["services.runner.service", "services.risk.running"])
def test_a_service_imports_no_venues_client_before_it_connects(service: str) -> None:
    program = f"import sys, {service}; print(*set({CLIENTS}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
