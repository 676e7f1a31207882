"""Facts and settings for tests of the bus."""

from pathlib import Path

from shared.runtime import clock
from shared.runtime.settings import Settings, load_settings
from shared.schemas.lifecycle import ErrorDetails, ErrorRaised, Heartbeat, HeartbeatMetrics
from shared.schemas.values import Service


def told(session_id: str, number: int = 0, service: Service = "runner", where: str = "a test") -> ErrorRaised:
    """A fact of the session, with an identity of its own."""
    instant, identity = clock.now(), clock.new_id()
    return ErrorRaised(
        timestamp=instant,
        market_time=instant,
        session_id=session_id,
        id=identity,
        correlation_id=identity,
        causation_id=identity,
        service=service,
        error=f"number {number}",
        details=ErrorDetails(where=where),
    )


def heartbeat(session_id: str) -> Heartbeat:
    """The runner's sign of life in the session."""
    instant, identity = clock.now(), clock.new_id()
    return Heartbeat(
        timestamp=instant,
        market_time=instant,
        session_id=session_id,
        id=identity,
        correlation_id=identity,
        causation_id=identity,
        service="runner",
        metrics=HeartbeatMetrics(uptime_seconds=1.0, events_published=0, events_consumed=0),
    )


def settings_for(nats_url: str, data_dir: Path | None = None) -> Settings:
    """Settings of a service that talks to the server at `nats_url`."""
    given = {"NATS_URL": nats_url, "METRICS_PORT": "0"}
    return load_settings(given | ({"DATA_DIR": str(data_dir)} if data_dir else {}), dotenv=None)
