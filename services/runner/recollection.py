"""A session folded from what the stream holds of it: the state, the simulated venue, and what has been seen."""

from datetime import datetime
from typing import NamedTuple

import structlog

from services.runner.begun import Begun
from services.runner.core.evolve import FOLDED, evolve
from services.runner.core.plan import Plan
from services.runner.core.state import State, initial
from services.runner.kept import Kept
from shared.domain.approval import Verify, is_signed
from shared.domain.once import Once
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.schemas.codec import UndecodableError, UnknownVersionError, decode
from shared.schemas.envelope import Event
from shared.schemas.market import CandleClosed
from shared.schemas.orders import OrderApproved
from shared.schemas.subjects import EVENTS, parse_event_subject
from shared.venues.paper import Book, Rebuild

_log = structlog.get_logger("sessions")


class Recorded(NamedTuple):
    """A session as the stream holds it.

    `own_sequence` is the number of the runner's last fact, `sequence` of any that was read, `kept_at` of the one that
    the last snapshot stands for. `once` knows all facts that were taken in. `begun` is the last slice, if any.
    """

    state: State
    book: Book
    clock: datetime
    once: Once
    own_sequence: int
    sequence: int
    kept_at: int
    begun: Begun | None = None


class Recollection:
    """Takes a session's facts one after the other, those of the runner and of the guard, each once.

    With `kept`, the facts that it stands for are passed over. Approvals that `verify` finds unsigned count for nothing,
    as they did when they were heard first.
    """

    def __init__(self, plan: Plan, verify: Verify, kept: Kept | None = None) -> None:
        self._verify = verify
        self._own = self._heard = 0
        self._state, self._once = initial(plan), Once()
        self._rebuild = Rebuild(plan.config)
        if kept is not None:
            self._own, self._heard = kept.own_sequence, kept.heard_sequence
            self._state, self._once = kept.state(plan), Once.unpacked(kept.ids, kept.bars)
            self._rebuild = Rebuild(plan.config, kept.book, kept.clock)
        self._last = max(self._own, self._heard)
        self._kept_at = self._own
        self._before: tuple[State, Book, datetime] | None = None
        self._told: list[Event] = []
        self.start = min(self._own, self._heard) + 1
        """From where on the stream is to be read."""

    def take(self, delivery: Delivery) -> None:
        """The next message. FatalError for a version that is not known: a state without it would be wrong."""
        _, writer, name = parse_event_subject(delivery.subject)
        is_own = writer == "runner"
        if delivery.sequence <= (self._own if is_own else self._heard):
            return
        if delivery.sequence > self._last:
            self._last = delivery.sequence
        if is_own:
            self._own = delivery.sequence
        if name not in FOLDED and (name == "heartbeat" or not is_own):
            return
        event = readable(delivery)
        if event is None or not self._counts(event):
            return
        if name not in FOLDED:
            if not self._once.knows(event):
                self._told.append(event)
        elif self._once.is_new(event):
            if is_own:
                self._tells(event)
            self._state = evolve(self._state, event)
            self._rebuild.take(event)

    def _tells(self, event: Event) -> None:
        """Keep what the runner has told since its last slice began, and how things stood before it."""
        if type(event) is CandleClosed and event.details.close_time != self._state.market_time:
            self._before = (self._state, *self._rebuild.result())
            self._told = []
        self._told.append(event)

    def _counts(self, event: Event) -> bool:
        return type(event) is not OrderApproved or is_signed(event, self._verify)

    def result(self) -> Recorded:
        """The session after what was taken."""
        book, clock = self._rebuild.result()
        begun = Begun(*self._before, tuple(self._told)) if self._before else None
        return Recorded(self._state, book, clock, self._once, self._own, self._last, self._kept_at, begun)


def readable(delivery: Delivery) -> Event | None:
    """The fact in `delivery`; None for what was put aside when it was heard first, and for facts of no concern here."""
    try:
        return decode(delivery.subject, delivery.payload)
    except UnknownVersionError as error:
        if parse_event_subject(delivery.subject)[2] not in FOLDED:
            return None
        raise FatalError(f"the session can't go on without message {delivery.sequence} of {EVENTS}: {error}") from None
    except UndecodableError as refusal:
        _log.warning("passed over", subject=delivery.subject, sequence=delivery.sequence, reason=str(refusal))
        return None
