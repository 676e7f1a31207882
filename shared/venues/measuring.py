"""How venues are doing: how long calls take and how they fail, what may still be asked, which streams are there."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

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
RETRIES = Counter(
    "leitstand_venue_retries", "Calls to a venue that are made again, by what the failed one left.", ["venue", "fate"]
)
WEIGHT_USED = Gauge("leitstand_venue_weight_used", "Weight of requests spent in the venue's present minute.", ["venue"])
WEIGHT_LIMIT = Gauge("leitstand_venue_weight_limit", "Weight of requests that the venue allows in a minute.", ["venue"])
STREAM_UP = Gauge(
    "leitstand_venue_stream_up", "Whether a venue's stream is there (1) or lost (0).", ["venue", "stream"]
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
