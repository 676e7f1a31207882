"""Opening a connection to a server that is not there."""

import pytest
from structlog.testing import capture_logs

from shared.runtime.connection import Connection
from shared.runtime.errors import FatalError
from shared.runtime.settings import load_settings


async def test_a_server_that_is_not_there_is_told_once_and_given_up_in_time() -> None:
    settings = load_settings({"NATS_URL": "nats://127.0.0.1:1"}, None)
    with capture_logs() as told, pytest.raises(FatalError, match=r"within 1\.5 s: .*; is it running"):
        await Connection.open(settings, "test", within=1.5)
    assert [entry["event"] for entry in told] == ["bus trouble"]
