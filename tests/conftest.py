"""What tests of several areas share: a real NATS server."""

from collections.abc import Iterator

import pytest

from deploy.embedded.nats_server import start_nats


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real server that all tests of the run share; use sessions of your own in it."""
    with start_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server.url
