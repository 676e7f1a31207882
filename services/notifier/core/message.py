"""A message to people, and what is told of its fate."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.schemas.envelope import Event
from shared.schemas.identity import derived_id
from shared.schemas.lifecycle import AlertFailed, AlertSent, Delivery

Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell. `part` numbers the messages that the same fact leads to; `about` is that fact."""

    about: Event
    part: int
    severity: Severity
    text: str

    @property
    def id(self) -> str:
        """The same whenever the same fact is decided on again."""
        return derived_id(self.about.id, "notifier.message", self.part)


def sent_id(message: Message, channel: str) -> str:
    """The id of the fact that `message` was sent by `channel`."""
    return derived_id(message.id, f"alert_sent.{channel}")


def failed_id(message: Message, channel: str) -> str:
    """The id of the fact that `message` could not be sent by `channel`."""
    return derived_id(message.id, f"alert_failed.{channel}")


def was_sent(message: Message, channel: str, attempts: int, timestamp: datetime) -> AlertSent:
    """The fact that `channel` took `message` at `timestamp`."""
    return AlertSent(id=sent_id(message, channel), **_told(message, channel, attempts, timestamp))


def was_not_sent(message: Message, channel: str, attempts: int, timestamp: datetime, error: str) -> AlertFailed:
    """The fact that `message` is given up on this channel, and why."""
    return AlertFailed(id=failed_id(message, channel), error=error, **_told(message, channel, attempts, timestamp))


def _told(message: Message, channel: str, attempts: int, timestamp: datetime) -> dict[str, Any]:
    about = message.about
    return {
        "timestamp": timestamp,
        "market_time": about.market_time,
        "session_id": about.session_id,
        "correlation_id": about.correlation_id,
        "causation_id": about.id,
        "service": "notifier",
        "details": Delivery(
            channel=channel, about=about.id, event_type=about.type, text=message.text, attempts=max(attempts, 1)
        ),
    }
