"""How the venues' interfaces fare, as the facts tell it: failed calls, lost connections, answers, reconciliations."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from shared.schemas.envelope import Event
from shared.schemas.lifecycle import ConnectionLost, ConnectionRestored, ErrorRaised
from shared.schemas.orders import AccountReconciled, OrderAccepted, OrderRejected, OrderSubmitted, OrderUnknown
from shared.schemas.values import STACK

AWAITED = 128
"""So many orders may wait for the venue's first word; the oldest is forgotten first."""


class Books(NamedTuple):
    """The last time a venue's books were held against ours, and whether nothing was left unexplained."""

    at: datetime
    agree: bool


class VenueHealth(NamedTuple):
    """Failed calls to venues, and connections that are down by peer.

    `sent` is when each order without an answer was stored to be sent, `latency_ms` how long the last answered one took
    from there to the venue's first word. That is measured at real venues only: a simulated one answers by market time.
    """

    errors: int = 0
    last_error: str | None = None
    last_error_at: datetime | None = None
    down: Mapping[str, datetime] = MappingProxyType({})
    sent: Mapping[str, datetime] = MappingProxyType({})
    latency_ms: int | None = None
    books: Books | None = None


def with_fact(venue: VenueHealth, event: Event, simulated: bool) -> VenueHealth:
    """The venue's health after a fact of a session, whose venue may be simulated."""
    if isinstance(event, ErrorRaised) and event.details.api:
        return venue._replace(errors=venue.errors + 1, last_error=event.error, last_error_at=event.timestamp)
    if isinstance(event, ConnectionLost) and event.session_id != STACK:
        return venue._replace(down={**venue.down, event.details.peer: event.timestamp})
    if isinstance(event, ConnectionRestored):
        return venue._replace(down={peer: at for peer, at in venue.down.items() if peer != event.details.peer})
    if isinstance(event, AccountReconciled):
        return venue._replace(books=Books(event.timestamp, event.status == "pass"))
    return venue if simulated else _timed(venue, event)


def _timed(venue: VenueHealth, event: Event) -> VenueHealth:
    if isinstance(event, OrderSubmitted):
        sent = {**venue.sent, event.order.client_order_id: event.timestamp}
        return venue._replace(sent=dict(list(sent.items())[-AWAITED:]))
    if not isinstance(event, OrderAccepted | OrderRejected | OrderUnknown):
        return venue
    name = event.order.client_order_id
    if name not in venue.sent:
        return venue
    left = {other: at for other, at in venue.sent.items() if other != name}
    if isinstance(event, OrderUnknown):
        return venue._replace(sent=left)
    taken = event.timestamp - venue.sent[name]
    return venue._replace(sent=left, latency_ms=max(round(taken.total_seconds() * 1000), 0))
