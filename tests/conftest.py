"""What tests of several areas share: a real NATS server, and how many examples a property is tried on."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from deploy.embedded.nats_server import start_nats

EXAMPLES = 500 if os.environ.get("SOAK") else 20
# A slow machine is no flaw in what is tested.
settings.register_profile(
    "leitstand", max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("leitstand")


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real server that all tests of the run share; use sessions of your own in it."""
    with start_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server.url
