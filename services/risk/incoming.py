"""Which messages of the stream concern the guard, and what they say."""

from services.risk.core.guard import CONCERNS
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import UndecodableError, UnknownVersionError, decode
from shared.schemas.envelope import Event
from shared.schemas.subjects import EVENTS, parse_event_subject

_INDIFFERENT = frozenset(BY_NAME) - CONCERNS


def concerning(delivery: Delivery) -> Event | None:
    """The fact in `delivery`, None when the guard passes over its type; UndecodableError when unreadable.

    FatalError for a fact in a version that is not known: a guard that passed over it would judge by wrong books.
    """
    try:
        _, _, name = parse_event_subject(delivery.subject)
    except ValueError as error:
        raise UndecodableError(str(error)) from None
    return None if name in _INDIFFERENT else needed(delivery)


def needed(delivery: Delivery) -> Event:
    """The fact in `delivery`, whatever its type; raises as `concerning` does."""
    try:
        return decode(delivery.subject, delivery.payload)
    except UnknownVersionError as error:
        raise FatalError(f"the guard can't stand without message {delivery.sequence} of {EVENTS}: {error}") from None
