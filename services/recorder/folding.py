"""Turns stretches of the stream into batches: decode, recall what was folded before, fold."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from services.recorder.core.ledger import Batch, Kept, Ledger, batch_of
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import UndecodableError, decode, encode
from shared.schemas.envelope import Event
from shared.schemas.subjects import EVENTS, event_subject

Reject = Callable[[Delivery, str], Awaitable[None]]
_FOLDED_TYPES = tuple(name for name in BY_NAME if name != "heartbeat")


def line_of(delivery: Delivery, event: Event) -> bytes:
    """The stored bytes, unless they span several lines."""
    return encode(event) if b"\n" in delivery.payload or b"\r" in delivery.payload else delivery.payload


class Folding:
    """Reads on from `position`, at which the folds of some sessions are `kept`.

    Others that began earlier are recalled from the stream when first met again.
    """

    def __init__(self, bus: Bus, position: int, reject: Reject, kept: Iterable[Kept] = ()) -> None:
        self._bus = bus
        self._reject = reject
        self.position = position
        self.ledger = Ledger(kept)

    async def batch(self, deliveries: Sequence[Delivery]) -> Batch:
        """The batch for the next stretch; what is no event is rejected with the reason."""
        after, entries = self.position, []
        for delivery in deliveries:
            event = _decoded(delivery)
            if isinstance(event, str):
                await self._reject(delivery, event)
                continue
            if event.session_id not in self.ledger:
                await self.recall(event.session_id)
            entry = self.ledger.enter(delivery.sequence, line_of(delivery, event), event)
            if entry is not None:
                entries.append(entry)
        self.position = deliveries[-1].sequence
        return batch_of(self.ledger, entries, after, self.position)

    async def recall(self, session_id: str) -> None:
        """Fold what the stream tells of the session up to the position."""
        if session_id in self.ledger:
            return
        self.ledger.open(session_id)
        subjects = [event_subject(session_id, "*", name) for name in _FOLDED_TYPES]
        async for stretch in self._bus.read_in_stretches(EVENTS, subjects):
            for delivery in stretch:
                if delivery.sequence > self.position:
                    return
                event = _decoded(delivery)
                if isinstance(event, Event):
                    self.ledger.enter(delivery.sequence, b"", event)


def _decoded(delivery: Delivery) -> Event | str:
    """The event, or why it is none."""
    try:
        return decode(delivery.subject, delivery.payload)
    except UndecodableError as error:
        return str(error)
