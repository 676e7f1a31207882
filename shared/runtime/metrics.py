"""The counters and gauges that every service has. Names start with `leitstand_`; no label is unbounded."""

from prometheus_client import Counter, Gauge

from shared.runtime import clock
from shared.schemas.catalogue import BY_NAME

PUBLISHED = Counter("leitstand_events_published", "Facts that this service has told.", ["type"])
CONSUMED = Counter("leitstand_events_consumed", "Facts that this service has received.", ["type"])
DEADLETTERS = Counter("leitstand_deadletters", "Messages that this service could not handle.")
BUS_CONNECTED = Gauge("leitstand_bus_connected", "Whether the bus can be reached (1) or not (0).")
START_TIME = Gauge("leitstand_start_time_seconds", "When this service started, in seconds since 1970 (UTC).")
START_TIME.set(clock.now().timestamp())

_OTHER = "other"
_CONSUMED_BY_TYPE = {kind: CONSUMED.labels(kind) for kind in (*BY_NAME, _OTHER)}
_PUBLISHED_BY_TYPE = {kind: PUBLISHED.labels(kind) for kind in BY_NAME}


def count_consumed(subject: str, times: int = 1) -> None:
    """Count received messages by their type; what is no event of ours counts as `other`."""
    kind = subject.rsplit(".", 1)[-1]
    _CONSUMED_BY_TYPE.get(kind, _CONSUMED_BY_TYPE[_OTHER]).inc(times)


def count_published(kind: str) -> None:
    """Count a stored fact of the type `kind`."""
    _PUBLISHED_BY_TYPE[kind].inc()


def total(counter: Counter) -> int:
    """What `counter` has counted under all of its labels."""
    return int(sum(one.value for family in counter.collect() for one in family.samples if one.name.endswith("_total")))
