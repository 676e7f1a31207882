"""How long calls to venues take, and how they fail: measured around each call, whichever venue it goes to."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from shared.runtime import clock
from shared.venues.trouble import VenueError

CALLS = Histogram(
    "leitstand_venue_call_seconds",
    "How long calls to a venue took, failed ones included.",
    ["venue", "call"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ERRORS = Counter(
    "leitstand_venue_call_errors", "Calls to a venue that failed, by what they left behind.", ["venue", "call", "fate"]
)


@contextmanager
def measured(venue: str, call: str) -> Iterator[None]:
    """Measure what happens within as one `call`: the name of a kind of call, never of a single one."""
    began = clock.monotonic()
    try:
        yield
    except VenueError as error:
        ERRORS.labels(venue, call, error.fate).inc()
        raise
    finally:
        CALLS.labels(venue, call).observe(clock.monotonic() - began)
