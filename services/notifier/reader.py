"""Facts in, messages out: drives the core and puts aside what it can't handle."""

from collections.abc import Sequence

import structlog

from services.notifier.core.decide import decide
from services.notifier.core.message import Message
from services.notifier.core.state import evolve, initial
from shared.runtime.bus import Bus, Delivery
from shared.schemas.codec import UndecodableError, decode
from shared.schemas.envelope import Event

_log = structlog.get_logger("reader")


class Reader:
    """Holds the folded state."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._state = initial()

    async def decoded(self, delivery: Delivery, is_new: bool = True) -> Event | None:
        """The fact, or None for what can't be decoded; that goes to the dead letters, when it is new."""
        try:
            return decode(delivery.subject, delivery.payload)
        except UndecodableError as error:
            if is_new:
                await self._put_aside(delivery, str(error))
            return None

    async def messages(self, delivery: Delivery, event: Event) -> Sequence[Message]:
        """The messages that `event` leads to; none, and a dead letter, when the core fails on it."""
        try:
            state = evolve(self._state, event)
            messages = decide(state, event)
        except Exception as error:  # one fact that the core can't handle must not silence all others
            _log.exception("unhandled fact", sequence=delivery.sequence)
            await self._put_aside(delivery, f"unhandled: {type(error).__name__}: {error}")
            return ()
        self._state = state
        return messages

    async def _put_aside(self, delivery: Delivery, reason: str) -> None:
        _log.error("put aside", subject=delivery.subject, sequence=delivery.sequence, reason=reason)
        await self._bus.deadletter("notifier", delivery, reason)
