"""Facts for the notifier's tests, made from the golden samples: `Story.tell("order_refused", ...)`."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notifier.core.decide import decide
from services.notifier.core.message import Message
from services.notifier.core.state import State, evolve, initial
from shared.schemas.codec import decode_as
from shared.schemas.envelope import Event
from shared.schemas.identity import derived_id
from tests.golden import sample


class Story:
    """A sequence of facts in time; minutes pass on both clocks unless told otherwise."""

    def __init__(self) -> None:
        self.state: State = initial()
        self.market_time = datetime.fromisoformat("2026-01-05T09:40:00+00:00")
        self.timestamp = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
        self.told = 0

    def wait(self, minutes: float = 0, *, market: float | None = None, wall: float | None = None) -> None:
        """Let minutes pass."""
        self.market_time += timedelta(minutes=minutes if market is None else market)
        self.timestamp += timedelta(minutes=minutes if wall is None else wall)

    def fact(self, name: str, **changes: Any) -> Event:
        """The golden sample at this moment, with `changes`; those of `order`, `metrics`, `details` are merged."""
        tree = sample(f"{name}.v1")
        for key, value in changes.items():
            tree[key] = {**tree.get(key, {}), **value} if isinstance(value, dict) else value
        self.told += 1
        tree["id"] = derived_id(tree["session_id"], "story", self.told)
        event = decode_as(name, json.dumps(tree).encode())
        return event.model_copy(update={"market_time": self.market_time, "timestamp": self.timestamp})

    def hear(self, event: Event) -> Sequence[Message]:
        """What the notifier makes of the fact."""
        self.state = evolve(self.state, event)
        return decide(self.state, event)

    def tell(self, name: str, **changes: Any) -> list[str]:
        """The texts that the fact leads to."""
        return [message.text for message in self.hear(self.fact(name, **changes))]
