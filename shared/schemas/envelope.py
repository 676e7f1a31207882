"""The envelope that every fact travels in, as CONTRACT section 4 fixes it."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from shared.schemas.values import Identity, Instant, Level, Phase, Service


class Value(BaseModel):
    """A frozen, strict part of a fact; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Event(Value):
    """A fact. Subclasses fix `type` and give `order`, `metrics` and `details` their shape."""

    WRITERS: ClassVar[frozenset[str]] = frozenset()
    """The services that may tell this fact."""
    READERS: ClassVar[frozenset[str]] = frozenset({"recorder"})
    """The services whose folds or reactions depend on it."""

    timestamp: Instant
    """When the fact was decided, by the clock on the wall."""
    market_time: Instant
    """The market's clock at that fact; in a replayed session the candle's time."""
    session_id: Identity
    type: str
    phase: Phase | None = None
    level: Level = "info"
    message: str | None = None
    status: str | None = None
    error: str | None = None
    duration_seconds: float | None = None
    metrics: Any = None
    order: Any = None
    details: Any = None
    id: Identity
    correlation_id: Identity
    causation_id: Identity
    version: int = 1
    service: Service
