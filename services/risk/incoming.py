"""Which messages of the stream concern the guard, and what they say."""

from services.risk.core.guard import CONCERNS
from shared.runtime.delivery import Delivery
from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import UndecodableError, decode
from shared.schemas.envelope import Event
from shared.schemas.subjects import parse_event_subject

_INDIFFERENT = frozenset(BY_NAME) - CONCERNS


def concerning(delivery: Delivery) -> Event | None:
    """The fact in `delivery`, None when the guard passes over its type; UndecodableError when unreadable."""
    try:
        _, _, name = parse_event_subject(delivery.subject)
    except ValueError as error:
        raise UndecodableError(str(error)) from None
    return None if name in _INDIFFERENT else decode(delivery.subject, delivery.payload)
