"""Repetitions: the first of a kind is told at once, those that follow within five minutes are counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.schemas.envelope import Event
from shared.schemas.lifecycle import AutocorrectAttempt, ErrorRaised
from shared.schemas.orders import OrderRefused, OrderRejected

Topic = tuple[str, ...]
"""The session and what makes two facts the same news."""

MARKET_WINDOW = timedelta(minutes=5)
WALL_WINDOW = timedelta(minutes=1)
"""By the wall clock, for a replay runs through months in a minute."""


@dataclass(frozen=True, slots=True)
class Streak:
    """News that was told by the fact `told_by` and how often it has come again since."""

    told_by: str
    market_time: datetime
    timestamp: datetime
    latest: Event
    held: int = 0
    before: int = 0
    """How many had been held when `told_by` came."""

    def over(self, event: Event) -> bool:
        """Whether both windows have passed when `event` comes."""
        in_market = event.market_time - self.market_time >= MARKET_WINDOW
        return in_market and event.timestamp - self.timestamp >= WALL_WINDOW


Streaks = Mapping[Topic, Streak]


def topic_of(event: Event) -> Topic | None:
    """What `event` repeats, None when it is always told."""
    match event:
        case OrderRefused():
            return event.session_id, event.type, event.details.rule, event.order.symbol
        case OrderRejected():
            return event.session_id, event.type, event.details.reason, event.order.symbol
        case ErrorRaised():
            return event.session_id, event.type, event.service, event.details.where, event.error
        case AutocorrectAttempt() if event.status != "started":
            return event.session_id, event.type, event.details.rule, event.status
    return None


def noted(streaks: Streaks, topic: Topic, event: Event) -> Streaks:
    """The streaks after one more fact about `topic`."""
    known = streaks.get(topic)
    if known is not None and not known.over(event):
        return {**streaks, topic: replace(known, held=known.held + 1, latest=event)}
    before = known.held if known else 0
    return {**streaks, topic: Streak(event.id, event.market_time, event.timestamp, event, 0, before)}


def ended(streaks: Streaks, event: Event, at_once: bool) -> Iterator[tuple[Topic, Streak]]:
    """The session's streaks that are over when `event` comes; all of them when `at_once`."""
    for topic, streak in streaks.items():
        if topic[0] == event.session_id and (at_once or streak.over(event)):
            yield topic, streak
