"""The envelope that every fact travels in, as CONTRACT section 4 fixes it."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

from shared.schemas.values import Identity, Instant, Level, Phase, Service


class Value(BaseModel):
    """A frozen, strict part of a fact; unknown fields and numbers that are none (NaN, infinity) are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


def _absent(value: Any) -> None:
    if value is not None:
        raise ValueError("this type of event does not carry it")


Absent = Annotated[Any, AfterValidator(_absent), WithJsonSchema({"type": "null"})]
"""A part of the envelope that a type of event does not use, unless its class gives it a shape."""


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
    metrics: Absent = None
    order: Absent = None
    details: Absent = None
    id: Identity
    correlation_id: Identity
    causation_id: Identity
    version: Literal[1] = 1
    service: Service
