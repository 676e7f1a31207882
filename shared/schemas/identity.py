"""Identities derived from causes, so that deciding again gives the same fact the same name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid5

from shared.schemas.envelope import Event
from shared.schemas.values import Service

E = TypeVar("E", bound=Event)


def derived_id(cause_id: str, label: str, index: int = 0) -> str:
    """The id of the `index`-th fact `label` that follows from the fact `cause_id` (RFC 9562 version 5)."""
    return str(uuid5(UUID(cause_id), f"{label}:{index}"))


def client_order_id(session_id: str, number: int) -> str:
    """The name of a session's `number`-th order at the venue: 35 characters, fit for Binance and Alpaca."""
    return f"lt-{uuid5(UUID(session_id), f'order:{number}').hex}"


@dataclass(frozen=True, slots=True)
class Cause:
    """What a decision follows from. Time and identity enter a core here and nowhere else.

    `timestamp` is the wall clock's reading when the input was received, `market_time` the market's.
    """

    id: str
    session_id: str
    timestamp: datetime
    market_time: datetime
    correlation_id: str

    @classmethod
    def of(cls, event: Event, timestamp: datetime | None = None) -> "Cause":
        """`event` as a cause, received at `timestamp` (by default, when it was decided)."""
        return cls(event.id, event.session_id, timestamp or event.timestamp, event.market_time, event.correlation_id)


class Facts:
    """Collects the facts that one cause leads to and numbers them in order."""

    def __init__(self, cause: Cause, service: Service) -> None:
        self._cause = cause
        self._service = service
        self._told: list[Event] = []

    def tell(self, kind: type[E], *, correlation_id: str | None = None, **fields: Any) -> E:
        """Add a fact of `kind` and return it; `fields` are those of the event beyond its envelope."""
        cause = self._cause
        name = kind.model_fields["type"].default
        event = kind(
            timestamp=cause.timestamp,
            market_time=cause.market_time,
            session_id=cause.session_id,
            id=derived_id(cause.id, f"{self._service}.{name}", len(self._told)),
            correlation_id=correlation_id or cause.correlation_id,
            causation_id=cause.id,
            service=self._service,
            **fields,
        )
        self._told.append(event)
        return event

    @property
    def told(self) -> Sequence[Event]:
        """The facts so far, in the order they were told."""
        return tuple(self._told)
